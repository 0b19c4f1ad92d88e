import type { Clock } from "./clock.ts";
import { RelayError } from "./errors.ts";
import { internalSignatureHeader, signedAtMs, verifyInternal } from "./internal-signature.ts";
import { readBody } from "./read-body.ts";

export interface ReadInternalOptions {
  /** One of them must have signed the call. Throws `ENV_INVALID` if there is none. */
  readSecrets: () => readonly string[];
  bytesMax: number;
  timeoutMs: number;
  clock: Clock;
}

/**
 * Reads the body of a call from our own functions. Throws `SIGNATURE_INVALID` for any other call, and what `readBody` and
 * `readSecrets` throw. The body is read only if the header is well formed and at most five minutes old. In a file of its
 * own, so that the webhook's edge function holds only the signing half.
 */
export async function readInternal(
  request: Request,
  { readSecrets, bytesMax, timeoutMs, clock }: ReadInternalOptions,
): Promise<Uint8Array> {
  const secrets = readSecrets();
  const header = request.headers.get(internalSignatureHeader);
  if (signedAtMs(header, clock.nowMs()) !== undefined) {
    const body = await readBody(request, { bytesMax, timeoutMs, clock });
    const purpose = `${request.method} ${new URL(request.url).pathname}`;
    for (const secret of secrets) {
      if (await verifyInternal(secret, purpose, body, header, clock.nowMs())) return body;
    }
  }
  throw new RelayError("SIGNATURE_INVALID", `${internalSignatureHeader} is missing, wrong or too old`);
}
