import { type Answer, mayPass } from "#platform/bounded-fetch.ts";
import { ForwardError, type ForwardErrorCode } from "#platform/forward-error.ts";

/**
 * Why SQS refused a request. Its JSON protocol answers most errors with the status 400, so the type in the answer decides,
 * and the status only where the type is unknown.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
 */
export function sqsRefusal({ status, text }: Answer): ForwardError {
  // `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"…"}`
  const type = /"__type":\s*"(?:[\w.]*#)?(\w+)/.exec(text)?.[1] ?? "";
  // It names two times, and the longest difference that is allowed.
  const isSkewed = /signature (expired|not yet current)|time.*skew/i.test(text);
  const code =
    rules.find(([pattern]) => pattern.test(type))?.[1] ??
    (mayPass(status) ? "PUBLISH_UNAVAILABLE" : "PUBLISH_REJECTED");
  const isTooLarge = code === "PUBLISH_INVALID" && /shorter than/.test(text);
  const reason = isSkewed ? ": the clock here differs from SQS's by more than it allows" : "";
  return new ForwardError(
    isTooLarge ? "PUBLISH_OVER_QUOTA" : code,
    `SQS answered ${status}${type === "" ? "" : ` ${type}`}${reason}`,
  );
}

/** By the type of the error; the first that matches. The names differ between its protocols. */
const rules: readonly (readonly [RegExp, ForwardErrorCode])[] = [
  [/Throttl|OverLimit/, "PUBLISH_RATE_LIMITED"],
  [/Queue(DoesNotExist|DeletedRecently)|NonExistentQueue|InvalidAddress/, "PUBLISH_NOT_FOUND"],
  [
    /AccessDenied|Signature|Token|UnrecognizedClient|InvalidClient|InvalidSecurity|RequestExpired|OptInRequired|AuthFailure|NotAuthorized/,
    "PUBLISH_UNAUTHORIZED",
  ],
  [/^(Invalid|Missing|Unsupported|Validation|Serialization)/, "PUBLISH_INVALID"],
];
