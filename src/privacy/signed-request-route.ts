import type { SignedRequest, SignedRequestReader } from "#instagram/signed-request.ts";
import type { Clock } from "#platform/clock.ts";
import { errorResponse, RelayError, toRelayError } from "#platform/errors.ts";
import { describeCause, type Log } from "#platform/log.ts";
import { readBody } from "#platform/read-body.ts";

/** The field has a few hundred characters. */
const bodyBytesMax = 64_000;
const bodyTimeoutMs = 5_000;

export interface SignedRequestRouteOptions {
  /** Throws `ENV_INVALID` if something is missing. */
  openReader: () => SignedRequestReader;
  clock: Clock;
  log: Log;
}

/**
 * Answers one of Meta's callbacks about a person: a form whose field `signed_request` is verified first and then
 * `handle`d; errors get the table's status. No line of the log says who the person is.
 */
export async function answerSignedRequest(
  request: Request,
  { openReader, clock, log }: SignedRequestRouteOptions,
  handle: (signed: SignedRequest) => Promise<Response>,
): Promise<Response> {
  try {
    const reader = openReader();
    const body = await readBody(request, { bytesMax: bodyBytesMax, timeoutMs: bodyTimeoutMs, clock });
    return await handle(await reader.read(readField(body)));
  } catch (thrown) {
    const error = toRelayError(thrown);
    const fields = {
      path: new URL(request.url).pathname,
      code: error.code,
      reason: error.message,
      ...(error.cause ? describeCause(error.cause) : {}),
    };
    if (error.status >= 500) log.error("signed_request.failed", fields);
    else log.warn("signed_request.refused", fields);
    return errorResponse(error);
  }
}

function readField(body: Uint8Array): string {
  const [value, ...more] = new URLSearchParams(new TextDecoder().decode(body)).getAll("signed_request");
  if (value !== undefined && value !== "" && more.length === 0) return value;
  throw new RelayError("REQUEST_INVALID", "The body must be a form with the field signed_request, once");
}
