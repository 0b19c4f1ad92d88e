import type { SignedRequest, SignedRequestReader } from "#instagram/signed-request.ts";
import type { Clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import { readBody } from "#platform/read-body.ts";
import { refuse } from "#platform/refuse.ts";

/** The field has a few hundred characters. */
const bodyBytesMax = 64_000;
const bodyTimeoutMs = 5_000;

export interface AnswerSignedRequestOptions {
  /** Throws `ENV_INVALID` if a variable is missing. */
  openReader: () => SignedRequestReader;
  clock: Clock;
  log: Log;
}

/**
 * Answers one of Meta's callbacks about a person, a form with the field `signed_request`: verifies the field and resolves
 * with `answer`'s response. An error is logged as `signed_request.refused` and answered with the error's status. No log
 * line identifies the person.
 */
export async function answerSignedRequest(
  request: Request,
  { openReader, clock, log }: AnswerSignedRequestOptions,
  answer: (signed: SignedRequest) => Promise<Response>,
): Promise<Response> {
  try {
    const reader = openReader();
    const body = await readBody(request, { bytesMax: bodyBytesMax, timeoutMs: bodyTimeoutMs, clock });
    return await answer(await reader.read(readField(body)));
  } catch (thrown) {
    return refuse(log, "signed_request.refused", thrown, { fields: { path: new URL(request.url).pathname } });
  }
}

function readField(body: Uint8Array): string {
  const [value, ...more] = new URLSearchParams(new TextDecoder().decode(body)).getAll("signed_request");
  if (value !== undefined && value !== "" && more.length === 0) return value;
  throw new RelayError("REQUEST_INVALID", "The body must be a form with the field signed_request, once");
}
