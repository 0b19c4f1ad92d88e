/**
 * Everything that can go wrong with a request to us, with the status that the caller gets. Duplicates, unknown kinds and
 * empty deliveries are outcomes, not errors. What can go wrong with our own requests is in forward-error.ts.
 */
export const requestErrors = {
  ENV_INVALID: 503,
  BODY_TOO_LARGE: 413,
  BODY_INCOMPLETE: 400,
  BODY_TIMEOUT: 408,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_INVALID: 400,
  SIGNATURE_INVALID: 401,
  HANDSHAKE_INVALID: 400,
  VERIFY_TOKEN_WRONG: 403,
  UNAUTHORIZED: 401,
  // The token is valid, and its role does not suffice.
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  NOT_FOUND: 404,
  EXPERIMENT_RUNNING: 409,
  // An operator's request needs QStash.
  QSTASH_UNAVAILABLE: 503,
  // What was asked for does not fit the state that something is in, such as the start of a replay that has ended.
  CONFLICT: 409,
  // Without a flow-control key QStash has nothing to pause.
  NOT_PAUSABLE: 409,
  // With this status and a header of its own QStash does not deliver a message again.
  // https://upstash.com/docs/qstash/features/retry
  BATCH_INVALID: 489,
  // A newer release published it and will read it: QStash is to deliver it again.
  BATCH_VERSION_UNKNOWN: 503,
  STORE_UNAVAILABLE: 503,
  // QStash is to deliver the batch later: the database or the handlers have no room.
  OVERLOADED: 503,
  // Neither QStash nor the store has the delivery yet: Meta is to send it again.
  NOT_KEPT: 503,
  // `next start` is shutting down.
  STOPPING: 503,
  INTERNAL: 500,
} as const satisfies Record<string, number>;

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
