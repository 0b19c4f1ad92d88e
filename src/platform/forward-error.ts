/** Everything that can go wrong between the webhook and the queue or the store: whether another attempt can help. */
export const forwardErrors = {
  PUBLISH_TIMEOUT: true,
  PUBLISH_NETWORK: true,
  PUBLISH_UNAVAILABLE: true,
  PUBLISH_RATE_LIMITED: true,
  PUBLISH_INVALID: false,
  PUBLISH_UNAUTHORIZED: false,
  PUBLISH_NOT_FOUND: false,
  PUBLISH_OVER_QUOTA: false,
  PUBLISH_UNCONFIRMED: false,
  PUBLISH_REJECTED: false,
  FALLBACK_TIMEOUT: true,
  FALLBACK_NETWORK: true,
  FALLBACK_UNAVAILABLE: true,
  FALLBACK_REJECTED: false,
  // Of any call to a route of ours.
  RELAY_URL_REDIRECTS: false,
  // A bug of ours.
  INTERNAL: false,
} as const satisfies Record<string, boolean>;

export type ForwardErrorCode = keyof typeof forwardErrors;

/** An attempt that failed, or a call of our own that was redirected. Its message is for the log; no caller sees it. */
export class ForwardError extends Error {
  readonly code: ForwardErrorCode;
  /** When the other side said that another attempt can help, counted from now. */
  readonly retryAfterMs: number | undefined;
  override readonly name = "ForwardError";

  constructor(
    code: ForwardErrorCode,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options);
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}
