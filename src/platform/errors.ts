import { requestErrors } from "#request-errors";

export type ErrorCode = keyof typeof requestErrors;

/** An error of a request. Its message is for the caller: no secret, no signature, no message text. Its cause is for the log. */
export class RelayError extends Error {
  readonly code: ErrorCode;
  /** After how many milliseconds the caller may try again. */
  readonly retryAfterMs: number | undefined;
  /** What refusals are counted by: the code, unless one code has several reasons. Logged as `refusal`, see refuse.ts. */
  readonly reason: string;
  override readonly name = "RelayError";

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number | undefined; reason?: string | undefined } = {},
  ) {
    super(message, options);
    this.code = code;
    this.reason = options.reason ?? code;
    this.retryAfterMs = options.retryAfterMs;
  }

  get status(): number {
    return requestErrors[this.code];
  }
}

/** What was thrown, as a `RelayError`: an unexpected error becomes `INTERNAL`, with itself as the cause for the log. */
export function toRelayError(thrown: unknown): RelayError {
  if (thrown instanceof RelayError) return thrown;
  return new RelayError("INTERNAL", "The request could not be handled", { cause: thrown });
}

/**
 * After these errors the connection ends: a body that is too large, too slow or not from a known sender may go on for long,
 * and the connection could serve no other request before its end. Other errors may leave a body unread too, ENV_INVALID for
 * example, but a genuine caller's body is short, and its connection stays open.
 */
const endsConnection = new Set<ErrorCode>(["BODY_TOO_LARGE", "BODY_TIMEOUT", "SIGNATURE_INVALID"]);

/** The response for an error: `{"error":{"code","message"}}` with the table's status. */
export function errorResponse(error: RelayError, headers: Record<string, string> = {}): Response {
  return Response.json(
    { error: { code: error.code, message: error.message } },
    {
      status: error.status,
      headers: {
        "cache-control": "no-store",
        ...(endsConnection.has(error.code) ? { connection: "close" } : {}),
        ...headers,
      },
    },
  );
}
