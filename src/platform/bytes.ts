/** The one encoder of a process: each further one is bytes on the edge. */
export const encoder = new TextEncoder();

/** Standard base64 of the bytes. */
export function base64FromBytes(bytes: Uint8Array): string {
  let binary = "";
  // In slices, because the number of arguments is limited.
  for (let offset = 0; offset < bytes.byteLength; offset += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(offset, offset + 0x8000));
  }
  return btoa(binary);
}

/** The bytes of standard base64; throws on anything else. */
export function bytesFromBase64(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** The bytes of unpadded base64url (RFC 4648, section 5); throws on anything else. */
export function bytesFromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return bytesFromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
}

/** Lower-case hex. */
export function hexFromBytes(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
}

/** The bytes of an even number of hex digits. */
export function bytesFromHex(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(hex.length / 2);
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = (hexDigit(hex, index * 2) << 4) | hexDigit(hex, index * 2 + 1);
  }
  return bytes;
}

/** By arithmetic: of `0`–`9` the low half is the value, of letters in either case it is nine less. */
function hexDigit(hex: string, index: number): number {
  const unit = hex.charCodeAt(index);
  return (unit & 0xf) + (unit > 0x39 ? 9 : 0);
}

/** The SHA-256 of the text's UTF-8, in lower-case hex. */
export async function sha256Hex(text: string): Promise<string> {
  return hexFromBytes(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text))));
}

/**
 * Compares two texts in a time that depends only on the length of the received one. The edge has no `timingSafeEqual`:
 * both are hashed under a random key, so the time of the comparison reveals nothing of the expected text.
 */
export async function equalInConstantTime(received: string, expected: string): Promise<boolean> {
  const key = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
  const mac = await crypto.subtle.sign("HMAC", key, encoder.encode(expected));
  return crypto.subtle.verify("HMAC", key, mac, encoder.encode(received));
}
