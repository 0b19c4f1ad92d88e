import { bytesFromBase64 } from "../bytes.ts";
import { parseJsonObject } from "../parse-json.ts";
import { parseBaseUrl, type Variable } from "../webhook-env.ts";

/** What creating tasks needs. */
export const cloudTasksPublisherVariables = {
  CLOUD_TASKS_QUEUE: {
    parse: (value: string) =>
      /^projects\/[\w:.-]{1,100}\/locations\/[a-z\d-]{1,50}\/queues\/[A-Za-z\d-]{1,100}$/.test(value)
        ? value
        : undefined,
  },
  GOOGLE_SERVICE_ACCOUNT_KEY: { parse: parseAccount } satisfies Variable<GoogleServiceAccount>,
  CLOUD_TASKS_URL: { parse: parseBaseUrl, fallback: () => "https://cloudtasks.googleapis.com" },
};

/** A service account of Google's, as its key file describes it. */
export interface GoogleServiceAccount {
  email: string;
  keyId: string;
  /** The private key: RSA, in PKCS #8. */
  key: Uint8Array<ArrayBuffer>;
}

/**
 * The file as Google hands it out, because it holds the key's id too, which tokens must name. The line breaks of its key may
 * have become real ones, as some shells and dotenv files make them: JSON refuses those, and the key needs none.
 */
function parseAccount(value: string): GoogleServiceAccount | undefined {
  const file = parseJsonObject(value.replace(/[\r\n]+/g, " "));
  const { client_email: email, private_key_id: keyId, private_key: pem } = file;
  if (typeof email !== "string" || typeof keyId !== "string" || typeof pem !== "string") return undefined;
  const base64 = /^-----BEGIN PRIVATE KEY-----([\w+/=\s]+)-----END PRIVATE KEY-----\s*$/.exec(pem)?.[1];
  if (!email.includes("@") || keyId === "" || base64 === undefined) return undefined;
  try {
    return { email, keyId, key: bytesFromBase64(base64) };
  } catch {
    return undefined;
  }
}
