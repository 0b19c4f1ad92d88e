/**
 * The id of a delivery: a UUID of version 7, whose order is that of time. `randomUuid` is one of version 4, whose random
 * bits are those that version 7 wants. https://www.rfc-editor.org/rfc/rfc9562#section-5.7
 */
export function createDeliveryId(receivedAtMs: number, randomUuid: string): string {
  const time = receivedAtMs.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUuid.slice(15)}`;
}
