/**
 * The closed set of things that can go wrong. The table says what the caller sees (`status`) and whether trying the
 * same again can help (`retryable`). Duplicates, unknown kinds and empty deliveries are outcomes, not errors.
 */
export const errorTable = {
  // Configuration
  ENV_INVALID: { status: 503, retryable: true },
  // Requests to us
  BODY_TOO_LARGE: { status: 413, retryable: false },
  BODY_INCOMPLETE: { status: 400, retryable: true },
  BODY_TIMEOUT: { status: 408, retryable: true },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false },
  REQUEST_INVALID: { status: 400, retryable: false },
  SIGNATURE_INVALID: { status: 401, retryable: false },
  HANDSHAKE_INVALID: { status: 400, retryable: false },
  VERIFY_TOKEN_WRONG: { status: 403, retryable: false },
  UNAUTHORIZED: { status: 401, retryable: false },
  RATE_LIMITED: { status: 429, retryable: true },
  NOT_FOUND: { status: 404, retryable: false },
  EXPERIMENT_RUNNING: { status: 409, retryable: true },
  // QStash reads 489 with its own header as "do not retry".
  BATCH_INVALID: { status: 489, retryable: false },
  // A newer release published it and will read it: QStash is to deliver it again.
  BATCH_VERSION_UNKNOWN: { status: 503, retryable: true },
  // Ours
  STORE_UNAVAILABLE: { status: 503, retryable: true },
  HANDLER_FAILED: { status: 500, retryable: true },
  HANDLERS_UNFINISHED: { status: 503, retryable: true },
  NOT_KEPT: { status: 503, retryable: true },
  INTERNAL: { status: 500, retryable: true },
  // Requests by us, to QStash
  PUBLISH_TIMEOUT: { status: 504, retryable: true },
  PUBLISH_NETWORK: { status: 502, retryable: true },
  PUBLISH_UNAVAILABLE: { status: 502, retryable: true },
  PUBLISH_RATE_LIMITED: { status: 502, retryable: true },
  PUBLISH_INVALID: { status: 502, retryable: false },
  PUBLISH_UNAUTHORIZED: { status: 502, retryable: false },
  PUBLISH_NOT_FOUND: { status: 502, retryable: false },
  PUBLISH_OVER_QUOTA: { status: 502, retryable: false },
  PUBLISH_UNCONFIRMED: { status: 502, retryable: false },
  PUBLISH_REJECTED: { status: 502, retryable: false },
  // And to our own fallback ingestion
  FALLBACK_TIMEOUT: { status: 504, retryable: true },
  FALLBACK_NETWORK: { status: 502, retryable: true },
  FALLBACK_UNAVAILABLE: { status: 502, retryable: true },
  FALLBACK_REJECTED: { status: 502, retryable: false },
  // And to any route of ours
  RELAY_URL_REDIRECTS: { status: 502, retryable: false },
} as const satisfies Record<string, { status: number; retryable: boolean }>;

export type ErrorCode = keyof typeof errorTable;

/** An error whose message may be shown to the caller: no secret, no signature, no message text. The cause is for the log. */
export class RelayError extends Error {
  readonly code: ErrorCode;
  /** When the other side said that trying again can help, counted from now. */
  readonly retryAfterMs: number | undefined;
  /** What it is counted as where refusals are: the code, unless one code has several reasons. */
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
    return errorTable[this.code].status;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }
}

/** Whatever was thrown, as a `RelayError`; what we did not expect becomes `INTERNAL` and keeps its cause for the log. */
export function toRelayError(thrown: unknown): RelayError {
  if (thrown instanceof RelayError) return thrown;
  return new RelayError("INTERNAL", "The request could not be handled", { cause: thrown });
}

/** Errors with which the rest of a request's body stays unread. */
const leavesBodyUnread = new Set<ErrorCode>(["BODY_TOO_LARGE", "BODY_TIMEOUT", "SIGNATURE_INVALID"]);

/** The response for an error: `{"error":{"code","message"}}` with the table's status. */
export function errorResponse(error: RelayError, headers: Record<string, string> = {}): Response {
  return Response.json(
    { error: { code: error.code, message: error.message } },
    {
      status: error.status,
      headers: {
        "cache-control": "no-store",
        // What is unread would stand before the connection's next request, and Node's server waits for it in vain.
        ...(leavesBodyUnread.has(error.code) ? { connection: "close" } : {}),
        ...headers,
      },
    },
  );
}
