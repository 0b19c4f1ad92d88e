import { hash } from "node:crypto";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The id under which a delivery is stored: the wire's id if it is a UUID, else the hash of it. */
export function deliveryUuid(id: string): string {
  return uuid.test(id) ? id.toLowerCase() : hashUuid(id);
}

/** The first 16 bytes of the text's SHA-256 as a UUID: of an event's key, a message's id or a person's id. */
export function hashUuid(text: string): string {
  const hex = hash("sha256", text);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
