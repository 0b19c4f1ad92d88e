import { createRemoteJWKSet, customFetch, type JWK, type JWTVerifyGetKey } from "jose";

import { fetchWithin, type Network } from "#platform/bounded-fetch.ts";
import { RelayError } from "#platform/errors.ts";
import { parseJsonObject } from "#platform/parse-json.ts";

/** For Google's answer. A delivery that fails for want of it comes again. */
const timeoutMs = 3_000;
/** For so long the list is not read again for a key that it lacks: a stranger can make up any number of keys. */
const cooldownMs = 30_000;
/** Characters of base64url: 8192 bits, four times Google's. Verifying with much longer keys takes seconds. */
const modulusMax = 1_366;
const exponentMax = 11;

/**
 * Google's public keys: asked for once, and again after ten minutes, or if a token names a key that is not among them.
 * Throws `QUEUE_UNAVAILABLE` if Google does not hand them out. What is no key in the list is left out.
 */
export function createGoogleCerts(url: string, network: Network): JWTVerifyGetKey {
  return createRemoteJWKSet(new URL(url), {
    cooldownDuration: cooldownMs,
    [customFetch]: async (address) => {
      const { status, text } = await fetchWithin(timeoutMs, address, { cache: "no-store" }, network).catch(fail);
      const { keys } = parseJsonObject(text);
      // jose takes any other answer for a fault of the token.
      const usable = Array.isArray(keys) ? keys.flatMap(readKey) : [];
      if (status !== 200 || usable.length === 0) return fail(new Error(`It answered ${status} without keys`));
      return Response.json({ keys: usable });
    },
  });
}

/** Only what verifying needs: jose refuses the whole list for one entry that is no object. */
function readKey(given: unknown): JWK[] {
  if (typeof given !== "object" || given === null) return [];
  const { kty, n, e, kid, use = "sig", alg = "RS256" } = given as Record<string, unknown>;
  if (kty !== "RSA" || use !== "sig" || alg !== "RS256" || typeof kid !== "string") return [];
  if (typeof n !== "string" || n.length > modulusMax || typeof e !== "string" || e.length > exponentMax) return [];
  return [{ kty, n, e, kid }];
}

function fail(cause: unknown): never {
  throw new RelayError("QUEUE_UNAVAILABLE", "Google's public keys cannot be read", { cause });
}
