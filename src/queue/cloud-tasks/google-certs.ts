import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from "jose";

import { fetchWithin, type Network } from "#platform/bounded-fetch.ts";
import { RelayError } from "#platform/errors.ts";
import { parseJsonObject } from "#platform/parse-json.ts";

/** For Google's answer. A delivery that fails for want of it comes again. */
const timeoutMs = 3_000;
/** For so long the list is not read again for a key that it lacks: a stranger can make up any number of keys. */
const cooldownMs = 30_000;

/**
 * Google's public keys: asked for once, and again after ten minutes, or if a token names a key that is not among them.
 * Throws `QUEUE_UNAVAILABLE` if Google does not hand them out.
 */
export function createGoogleCerts(url: string, network: Network): JWTVerifyGetKey {
  return createRemoteJWKSet(new URL(url), {
    cooldownDuration: cooldownMs,
    [customFetch]: async (address) => {
      const { status, text } = await fetchWithin(timeoutMs, address, { cache: "no-store" }, network).catch(fail);
      const { keys } = parseJsonObject(text);
      // jose takes any other answer for a fault of the token.
      if (status !== 200 || !Array.isArray(keys)) return fail(new Error(`It answered ${status} without keys`));
      return Response.json({ keys: keys.filter((key) => typeof key === "object" && key !== null) });
    },
  });
}

function fail(cause: unknown): never {
  throw new RelayError("QUEUE_UNAVAILABLE", "Google's public keys cannot be read", { cause });
}
