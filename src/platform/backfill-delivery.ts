/**
 * The id of a delivery that the relay made itself of what it read from Instagram's API: a UUID of version 8, which is free
 * to use, with the time in front as in version 7. The mark is in the id, so that everything that knows an event's delivery
 * knows how the event came, also after the delivery's row has aged out. https://www.rfc-editor.org/rfc/rfc9562#section-5.8
 */
export function createBackfillDeliveryId(atMs: number, randomUuid: string): string {
  const time = atMs.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-${mark}-${randomUuid.slice(19)}`;
}

const mark = "8bf1";
const markedAt = "xxxxxxxx-xxxx-".length;

/** Whether a delivery's id was made by `createBackfillDeliveryId`. */
export function isBackfillDelivery(id: string): boolean {
  return id.length === 36 && id.startsWith(`${mark}-`, markedAt);
}
