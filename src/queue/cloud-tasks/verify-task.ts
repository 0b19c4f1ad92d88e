import { errors, jwtVerify, type JWTVerifyGetKey, type JWTVerifyOptions } from "jose";

import type { Clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";

export interface TaskOrigin {
  /** Google's public keys. */
  certs: JWTVerifyGetKey;
  /** The service account that the tasks were created with. */
  email: string;
  /** The addresses that tasks are created for, old and new while moving: one of them must be the token's audience. */
  urls: readonly string[];
}

const issuer = "https://accounts.google.com";

/**
 * Verifies that Google calls this route for our service account. Throws `SIGNATURE_INVALID`, what `readOrigin` throws, and
 * `QUEUE_UNAVAILABLE` if Google's keys cannot be read. The token does not cover the body: what Google delivers is what the
 * account created.
 * https://cloud.google.com/tasks/docs/creating-http-target-tasks#token
 */
export async function verifyTask(
  authorization: string | null,
  readOrigin: () => TaskOrigin,
  clock: Clock,
): Promise<void> {
  const token = /^Bearer ([\w.-]{1,8000})$/.exec(authorization ?? "")?.[1];
  // Before any variable is read: where another queue is used they are missing, and a stranger's call must log no error.
  if (token === undefined) throw new RelayError("SIGNATURE_INVALID", "The OIDC token is missing");
  const { certs, email, urls } = readOrigin();
  const { payload: claims } = await verifyToken(token, certs, {
    algorithms: ["RS256"],
    issuer,
    audience: [...urls],
    requiredClaims: ["exp", "email"],
    currentDate: new Date(clock.nowMs()),
  }).catch(fail);
  // Any project can have Google sign a token for our address; only ours has the account.
  if (claims["email"] !== email || claims["email_verified"] !== true) fail(new Error("The token is another account's"));
}

/** Two of Google's keys may have one name: then either of them may have signed. */
async function verifyToken(token: string, certs: JWTVerifyGetKey, options: JWTVerifyOptions) {
  try {
    return await jwtVerify(token, certs, options);
  } catch (thrown) {
    if (!(thrown instanceof errors.JWKSMultipleMatchingKeys)) throw thrown;
    for await (const key of thrown) {
      const verified = await jwtVerify(token, key, options).catch(unlessOtherKey);
      if (verified !== null) return verified;
    }
    throw thrown;
  }
}

/** What is wrong with a token is a JOSEError; any other error is of a key that cannot be used, such as one that is too short. */
function unlessOtherKey(thrown: unknown): null {
  if (thrown instanceof errors.JOSEError && !(thrown instanceof errors.JWSSignatureVerificationFailed)) throw thrown;
  return null;
}

function fail(cause: unknown): never {
  if (cause instanceof RelayError) throw cause;
  throw new RelayError("SIGNATURE_INVALID", "The OIDC token is not valid for this address and account", { cause });
}
