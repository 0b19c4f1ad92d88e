import { encoder, hexFromBytes } from "#platform/bytes.ts";
import { importHmacKey } from "#platform/hmac-key.ts";

const idBytes = 12;

/**
 * An id of the relay, the same for all its deployments and addresses, by which a program notices that two addresses are one
 * relay. It is derived from `RELAY_SECRET`, about which it says nothing; null without that.
 */
export async function relayInstance(relaySecret: string | undefined): Promise<string | null> {
  if (relaySecret === undefined) return null;
  const mac = await crypto.subtle.sign("HMAC", await importHmacKey(relaySecret, "sign"), encoder.encode("instance"));
  return hexFromBytes(new Uint8Array(mac).subarray(0, idBytes));
}
