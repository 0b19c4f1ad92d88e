import { encoder, hexFromBytes } from "#platform/bytes.ts";
import type { EnvRecord } from "#platform/env.ts";
import { importHmacKey } from "#platform/hmac-key.ts";

const idBytes = 12;

/**
 * An id of the relay, the same for all its deployments and addresses, by which a program notices that two addresses are one
 * relay. It is derived from the first of `RELAY_SECRET`, about which it says nothing; null without that.
 */
export async function relayInstance({ RELAY_SECRET }: EnvRecord): Promise<string | null> {
  const relaySecret = RELAY_SECRET?.split(",")[0]?.trim();
  if (!relaySecret) return null;
  const mac = await crypto.subtle.sign("HMAC", await importHmacKey(relaySecret, "sign"), encoder.encode("instance"));
  return hexFromBytes(new Uint8Array(mac).subarray(0, idBytes));
}
