import { base64FromBytes, encoder } from "#platform/bytes.ts";
import type { Clock } from "#platform/clock.ts";
import { ForwardError } from "#platform/forward-error.ts";
import type { GoogleServiceAccount } from "#platform/queue-env/cloud-tasks.ts";

/** The audience of tokens for Cloud Tasks, also where CLOUD_TASKS_URL names another server. */
export const cloudTasksAudience = "https://cloudtasks.googleapis.com/";

/** Google refuses tokens that are valid for longer. */
const lifetimeS = 3_600;
/** A token is not used for its last minutes: the two clocks differ, and the request takes time. */
const reserveS = 300;

export interface GoogleToken {
  /** A token that is valid for some minutes at least. Rejects with `PUBLISH_UNAUTHORIZED` if the key cannot sign. */
  get(): Promise<string>;
  /** Google did not accept the last one: `get` is to sign another. */
  drop(): void;
}

/**
 * Tokens for one of Google's APIs, which the service account signs itself: Google needs no exchange for them. One token is
 * used for most of an hour, by all requests of an isolate. Written out, because jose adds 6 kB of gzip to the edge function, and this 0.7 kB.
 * https://google.aip.dev/auth/4111
 */
export function createGoogleToken(account: GoogleServiceAccount, audience: string, clock: Clock): GoogleToken {
  let token: Promise<string> | null = null;
  let usableUntilS = 0;
  return {
    get() {
      const nowS = Math.floor(clock.nowMs() / 1000);
      if (token === null || nowS >= usableUntilS) {
        token = sign(account, audience, nowS).catch((cause: unknown) => {
          throw new ForwardError("PUBLISH_UNAUTHORIZED", "The service account's key cannot sign", { cause });
        });
        usableUntilS = nowS + lifetimeS - reserveS;
      }
      return token;
    },
    drop() {
      token = null;
    },
  };
}

const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

/** RFC 7515, RS256. */
async function sign({ email, keyId, key }: GoogleServiceAccount, audience: string, nowS: number): Promise<string> {
  const header = { alg: "RS256", typ: "JWT", kid: keyId };
  const claims = { iss: email, sub: email, aud: audience, iat: nowS, exp: nowS + lifetimeS };
  const signed = [header, claims].map((part) => base64Url(encoder.encode(JSON.stringify(part)))).join(".");
  const privateKey = await crypto.subtle.importKey("pkcs8", key, algorithm, false, ["sign"]);
  const signature = await crypto.subtle.sign(algorithm.name, privateKey, encoder.encode(signed));
  return `${signed}.${base64Url(new Uint8Array(signature))}`;
}

function base64Url(bytes: Uint8Array): string {
  return base64FromBytes(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
