/** Of `{`, in base64. */
const firstByte = "e".charCodeAt(0);
const decoder = new TextDecoder();

/**
 * Whether a body is the payload of a `signed_request`. Meta signs those with the app secret too, over their base64url
 * text, and gives them to whoever signs in to the app: sent as a body, such a payload has a valid signature, and is no
 * delivery. Every delivery of Meta's is JSON, which base64url cannot spell.
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
