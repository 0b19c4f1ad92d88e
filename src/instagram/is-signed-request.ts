/** The base64 of a text that begins with `{"` begins with this. */
const firstByte = "e".charCodeAt(0);
const decoder = new TextDecoder();

/**
 * Whether a body is the payload of a `signed_request`. Meta signs its base64url text with the app secret too, and gives it
 * to every person who signs in to the app: sent as a body, it has a valid signature but is no delivery. A delivery is
 * JSON, whose braces are not in base64url's alphabet.
 */
export function isSignedRequest(body: Uint8Array): boolean {
  if (body[0] !== firstByte) return false;
  try {
    const payload = atob(decoder.decode(body).replaceAll("-", "+").replaceAll("_", "/"));
    return "algorithm" in (JSON.parse(payload) as object);
  } catch {
    return false;
  }
}
