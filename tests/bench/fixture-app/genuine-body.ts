const encoder = new TextEncoder();
const hmac = { name: "HMAC", hash: "SHA-256" };
let key: Promise<CryptoKey> | undefined;

/** The raw body of a request that Meta signed, null of any other. */
export async function genuineBody(request: Request): Promise<ArrayBuffer | null> {
  const body = await request.arrayBuffer();
  key ??= crypto.subtle.importKey("raw", encoder.encode(process.env["APP_SECRET"]), hmac, false, ["verify"]);
  const hex = request.headers.get("x-hub-signature-256")?.slice("sha256=".length) ?? "";
  const signature = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return (await crypto.subtle.verify("HMAC", await key, signature, body)) ? body : null;
}
