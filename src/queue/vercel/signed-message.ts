import { bytesFromHex, encoder, hexFromBytes } from "#platform/bytes.ts";
import { importHmacKey } from "#platform/hmac-key.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What stands before a message's body. */
export const signedHeadBytesMax = 80;

/**
 * A message as it is sent: a line with its MAC and its retries, and then the body. Vercel signs no delivery; it says that
 * no other caller reaches a route with a trigger, and on another host every caller does. Without a time, because a message
 * may be delivered days later. `retries`: how often a failed delivery is repeated; null without an end.
 */
export async function signMessage(secret: string, topic: string, retries: number | null, body: Bytes): Promise<Bytes> {
  const mac = await crypto.subtle.sign("HMAC", await importHmacKey(secret, "sign"), signedPart(topic, retries, body));
  return join(`${hexFromBytes(new Uint8Array(mac))} ${retries}\n`, body);
}

/** What of the message is signed under one of the secrets for this topic; null if nothing is. */
export async function readSignedMessage(
  secrets: readonly string[],
  topic: string,
  message: Bytes,
): Promise<{ retries: number | null; body: Bytes } | null> {
  const head = new TextDecoder().decode(message.subarray(0, signedHeadBytesMax));
  const [line, mac, text] = /^([0-9a-f]{64}) (null|\d{1,4})\n/.exec(head) ?? [];
  if (line === undefined || mac === undefined) return null;
  const retries = text === "null" ? null : Number(text);
  const body = message.slice(line.length);
  const signed = signedPart(topic, retries, body);
  for (const secret of secrets) {
    const key = await importHmacKey(secret, "verify");
    if (await crypto.subtle.verify("HMAC", key, bytesFromHex(mac), signed)) return { retries, body };
  }
  return null;
}

function signedPart(topic: string, retries: number | null, body: Bytes): Bytes {
  return join(`queue ${topic} ${retries}\n`, body);
}

function join(head: string, body: Bytes): Bytes {
  const start = encoder.encode(head);
  const joined = new Uint8Array(start.byteLength + body.byteLength);
  joined.set(start);
  joined.set(body, start.byteLength);
  return joined;
}
