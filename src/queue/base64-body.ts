import { bytesFromBase64, encoder } from "#platform/bytes.ts";

/**
 * The body of a message that was sent as base64. What others have put into the queue is none, and is kept as it is: the
 * consumer makes a dead letter of it.
 */
export function bodyFromBase64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return bytesFromBase64(text);
  } catch {
    return encoder.encode(text);
  }
}
