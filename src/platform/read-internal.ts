import type { Clock } from "./clock.ts";
import { RelayError } from "./errors.ts";
import { internalSignatureHeader, signedAtMs, verifyInternal } from "./internal-signature.ts";
import { readBody } from "./read-body.ts";

export interface ReadInternalOptions {
  /** Throws `ENV_INVALID` if there is none. */
  readSecret: () => string;
  bytesMax: number;
  timeoutMs: number;
  clock: Clock;
}

/**
 * The body of one of our own calls; throws `SIGNATURE_INVALID` for anybody else's, and what `readBody` throws. The body is
 * read only if the header is well formed and of now.
 */
export async function readInternal(
  request: Request,
  { readSecret, bytesMax, timeoutMs, clock }: ReadInternalOptions,
): Promise<Uint8Array> {
  const secret = readSecret();
  const header = request.headers.get(internalSignatureHeader);
  if (signedAtMs(header, clock.nowMs()) !== undefined) {
    const body = await readBody(request, { bytesMax, timeoutMs, clock });
    const purpose = `${request.method} ${new URL(request.url).pathname}`;
    if (await verifyInternal(secret, purpose, body, header, clock.nowMs())) return body;
  }
  throw new RelayError("SIGNATURE_INVALID", `${internalSignatureHeader} is missing, wrong or too old`);
}
