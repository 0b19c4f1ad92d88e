/** A refusal in QStash's own shape: the status and `{"error":"…"}`. The message is shown to the caller. */
export class ApiError extends Error {
  readonly status: 400 | 401 | 404 | 412 | 413 | 429 | 501;
  readonly headers: Readonly<Record<string, string>>;
  override readonly name = "ApiError";

  constructor(status: ApiError["status"], message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** What QStash has and this broker has not. Saying so beats accepting a request and doing something else. */
export function notSupported(what: string): ApiError {
  return new ApiError(501, `${what} is not supported by this broker`);
}
