import type { Clock } from "./clock.ts";
import { RelayError } from "./errors.ts";

export interface ReadBodyOptions {
  bytesMax: number;
  /** How long the sender may take for the whole body. */
  timeoutMs: number;
  clock: Clock;
}

/**
 * Reads the request's body, byte for byte. Throws `BODY_TOO_LARGE` as early as possible (from `content-length` if there is
 * one, else while counting), `BODY_TIMEOUT` for a sender that is too slow and `BODY_INCOMPLETE` if fewer bytes came than
 * announced: `next start` silently passes an edge route only the first part of a body over its limit.
 */
export async function readBody(request: Request, options: ReadBodyOptions): Promise<Uint8Array<ArrayBuffer>> {
  const announced = checkAnnounced(request, options.bytesMax);
  if (request.body === null) return new Uint8Array(0);

  const reader = request.body.getReader();
  let timedOut = false;
  const cancelTimer = options.clock.after(options.timeoutMs, () => {
    timedOut = true;
    reader.cancel().catch(() => {});
  });
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (timedOut) throw new RelayError("BODY_TIMEOUT", `The body did not arrive within ${options.timeoutMs} ms`);
      if (done) break;
      length += value.byteLength;
      if (length > options.bytesMax) throw tooLarge(options.bytesMax);
      chunks.push(value);
    }
    if (announced !== null && length !== announced) {
      throw new RelayError("BODY_INCOMPLETE", `content-length announced ${announced} bytes, ${length} arrived`);
    }
    return join(chunks, length);
  } catch (thrown) {
    reader.cancel().catch(() => {});
    if (thrown instanceof RelayError) throw thrown;
    throw new RelayError("BODY_INCOMPLETE", "The body broke off", { cause: thrown });
  } finally {
    cancelTimer();
  }
}

/** The bytes that `content-length` announces, without reading the body; null if there is none. Throws `BODY_TOO_LARGE`. */
export function checkAnnounced(request: Request, bytesMax: number): number | null {
  const announced = announcedLength(request);
  if (announced !== null && announced > bytesMax) throw tooLarge(bytesMax);
  return announced;
}

/** `content-length`, unless the body came compressed or in chunks: then it does not count the bytes that we read (RFC 9112, 6.3). */
function announcedLength(request: Request): number | null {
  const header = request.headers.get("content-length");
  if (header === null || !/^\d{1,15}$/.test(header)) return null;
  if (request.headers.has("transfer-encoding") || request.headers.has("content-encoding")) return null;
  return Number(header);
}

function tooLarge(bytesMax: number): RelayError {
  return new RelayError("BODY_TOO_LARGE", `The body is larger than ${bytesMax} bytes`);
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return body;
}
