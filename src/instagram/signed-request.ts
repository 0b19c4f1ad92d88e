import { bytesFromBase64Url, hexFromBytes, sha256Hex } from "#platform/bytes.ts";
import { RelayError } from "#platform/errors.ts";
import { importHmacKey } from "#platform/hmac-key.ts";

import type { Json } from "./events.ts";
import { idText, isObject, type JsonObject, parseLosslessJson } from "./json.ts";
import { parseTime } from "./time.ts";

/** What a `signed_request` says: a person has withdrawn our app's permissions, or asks to be erased. */
export interface SignedRequest {
  /**
   * Equal for the same request however often it comes. Made of Meta's signature, so that who has only this and not the
   * app secret cannot find the person by trying all ids.
   */
  id: string;
  /** Meta's id of the person for our app alone; the ids in webhooks are other ones, as a rule. */
  userId: string;
  /** Null if Meta did not say. */
  issuedAtMs: number | null;
  /** Null if it does not expire. */
  expiresAtMs: number | null;
  /** Which of the app secrets signed it, from 0. */
  secretIndex: number;
}

/** Reads requests signed with any of several app secrets; the keys are imported once and kept. */
export interface SignedRequestReader {
  read(value: string): Promise<SignedRequest>;
}

/** Meta's have about two hundred characters. */
const lengthMax = 8_192;
/** The signature's 32 bytes and the payload, in base64url. Meta leaves the padding out; libraries of others do not. */
const pattern = /^([\w-]{43})=?\.([\w-]+={0,2})$/;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Checks and reads the field `signed_request` of Meta's deauthorize and data deletion callbacks. `read` throws
 * `SIGNATURE_INVALID` for what none of the secrets signed, and `REQUEST_INVALID` for what is signed and yet says nothing
 * that we understand. One that has expired is read all the same: it may have waited for us to come back, and answering
 * it again changes nothing. https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
 */
export function createSignedRequestReader(secrets: readonly string[]): SignedRequestReader {
  let keys: Promise<CryptoKey[]> | undefined;
  return {
    async read(value) {
      const [, encodedSignature, encodedPayload] = (value.length <= lengthMax && pattern.exec(value)) || [];
      if (encodedSignature === undefined || encodedPayload === undefined) {
        throw new RelayError("SIGNATURE_INVALID", "signed_request is not a signature and a payload in base64url");
      }
      const signature = bytesFromBase64Url(encodedSignature);
      keys ??= Promise.all(secrets.map((secret) => importHmacKey(secret, "verify")));
      const secretIndex = await findSigner(await keys, signature, encodedPayload);
      const payload = parsePayload(encodedPayload);
      // Said by the payload itself, so it proves nothing; but another algorithm is another protocol.
      if (payload["algorithm"] !== "HMAC-SHA256") {
        throw new RelayError("SIGNATURE_INVALID", "signed_request must be signed with HMAC-SHA256");
      }
      // What signing in gives: anybody has one of their own, and it asks for nothing.
      if (Object.hasOwn(payload, "code") || Object.hasOwn(payload, "oauth_token")) {
        throw new RelayError("REQUEST_INVALID", "signed_request is that of a sign-in");
      }
      // Meta's are digits; an odd one is kept like any other, as the request is genuine.
      const userId = idText(payload["user_id"]);
      if (userId === undefined) throw new RelayError("REQUEST_INVALID", "signed_request has no user_id");
      return {
        id: await sha256Hex(hexFromBytes(signature)),
        userId,
        issuedAtMs: parseTime(payload["issued_at"]),
        expiresAtMs: parseTime(payload["expires"]),
        secretIndex,
      };
    },
  };
}

/** The signature is over the payload as it is encoded, its padding included, not over the JSON. */
async function findSigner(keys: readonly CryptoKey[], signature: BufferSource, encoded: string): Promise<number> {
  const signed = encoder.encode(encoded);
  for (const [index, key] of keys.entries()) {
    // `verify` compares in constant time.
    if (await crypto.subtle.verify("HMAC", key, signature, signed)) return index;
  }
  throw new RelayError("SIGNATURE_INVALID", "signed_request does not match under any configured app secret");
}

function parsePayload(encoded: string): JsonObject {
  let payload: Json;
  try {
    payload = parseLosslessJson(decoder.decode(bytesFromBase64Url(encoded.replace(/=+$/, ""))));
  } catch (thrown) {
    throw new RelayError("REQUEST_INVALID", "The payload of signed_request is not JSON", { cause: thrown });
  }
  if (!isObject(payload)) throw new RelayError("REQUEST_INVALID", "The payload of signed_request is not an object");
  return payload;
}
