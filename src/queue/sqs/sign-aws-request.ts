import { encoder, hexFromBytes } from "#platform/bytes.ts";

export interface AwsCredentials {
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Of temporary credentials; null for a user's own. */
  sessionToken: string | null;
}

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Creates a signer of POST requests to the root of one host: returns `headers` with the date and the signature, version 4.
 * Header names are lower case. aws4fetch does the same for every service and is three times the size on the edge; see
 * decision 0006. https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export function createAwsSigner(host: string, service: string, credentials: AwsCredentials) {
  const { region, accessKeyId, secretAccessKey, sessionToken } = credentials;

  return async (given: Record<string, string>, body: Bytes, nowMs: number): Promise<Record<string, string>> => {
    const at = new Date(nowMs).toISOString().replace(/[:-]|\.\d+/g, "");
    const headers: Record<string, string> = { ...given, "x-amz-date": at };
    if (sessionToken !== null) headers["x-amz-security-token"] = sessionToken;
    // Node's fetch and the edge's set `host` themselves, and it is always the address's.
    const signed = Object.entries({ ...headers, host }).toSorted(([one], [other]) => (one < other ? -1 : 1));
    const names = signed.map(([name]) => name).join(";");
    const lines = signed.map(([name, value]) => `${name}:${value}\n`).join("");
    const scope = [at.slice(0, 8), region, service, "aws4_request"];
    const request = `POST\n/\n\n${lines}\n${names}\n${await sha256(body)}`;
    let key: Bytes = encoder.encode(`AWS4${secretAccessKey}`);
    for (const part of scope) key = await hmac(key, part);
    const toSign = `AWS4-HMAC-SHA256\n${at}\n${scope.join("/")}\n${await sha256(encoder.encode(request))}`;
    const signature = hexFromBytes(await hmac(key, toSign));
    headers["authorization"] =
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope.join("/")}, SignedHeaders=${names}, Signature=${signature}`;
    return headers;
  };
}

async function sha256(bytes: Bytes): Promise<string> {
  return hexFromBytes(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

async function hmac(key: Bytes, text: string): Promise<Bytes> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, encoder.encode(text)));
}
