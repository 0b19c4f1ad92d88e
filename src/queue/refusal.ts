import { type Answer, mayPass } from "#platform/bounded-fetch.ts";
import { ForwardError, type ForwardErrorCode } from "#platform/forward-error.ts";

/** Refusals that a repetition cannot change. Each has a code of its own, because the remedy differs. */
const refusals: Record<number, ForwardErrorCode> = {
  400: "PUBLISH_INVALID",
  401: "PUBLISH_UNAUTHORIZED",
  403: "PUBLISH_UNAUTHORIZED",
  404: "PUBLISH_NOT_FOUND",
  // https://upstash.com/docs/qstash/misc/errors: a plan's limit, of retries or of the message's size
  412: "PUBLISH_OVER_QUOTA",
  413: "PUBLISH_OVER_QUOTA",
};

/** The error for a queue's answer that is no acceptance. `retryAfterMs`: when it said that another attempt can help. */
export function refusal(title: string, { status }: Answer, retryAfterMs: number | undefined): ForwardError {
  const message = `${title} answered ${status}`;
  if (status === 429) return new ForwardError("PUBLISH_RATE_LIMITED", message, { retryAfterMs });
  if (mayPass(status)) return new ForwardError("PUBLISH_UNAVAILABLE", message);
  return new ForwardError(refusals[status] ?? "PUBLISH_REJECTED", message);
}

/** The whole seconds of a `Retry-After` in milliseconds (RFC 9110, 10.2.3); undefined without one, and for a date. */
export function readRetryAfterMs({ headers }: Answer): number | undefined {
  const seconds = headers.get("retry-after") ?? "";
  return /^\d{1,9}$/.test(seconds) ? Number(seconds) * 1000 : undefined;
}
