import type { ErrorCode } from "#platform/errors.ts";

/** What a reason for refused deliveries means, and what to do about it. */
export interface RefusalReason {
  what: string;
  advice: string;
}

/** The webhook refuses no delivery with these. A new code belongs either here or into `reasons`: else it does not compile. */
type CodeOfOtherRequests =
  | "METHOD_NOT_ALLOWED"
  | "REQUEST_INVALID"
  | "HANDSHAKE_INVALID"
  | "VERIFY_TOKEN_WRONG"
  | "UNAUTHORIZED"
  | "FORBIDDEN"
  | "RATE_LIMITED"
  | "NOT_FOUND"
  | "EXPERIMENT_RUNNING"
  | "QSTASH_UNAVAILABLE"
  | "QUEUE_UNAVAILABLE"
  | "BATCH_INVALID"
  | "BATCH_VERSION_UNKNOWN"
  | "STORE_UNAVAILABLE"
  | "OVERLOADED"
  | "CONFLICT"
  | "INSTAGRAM_API_REFUSED"
  | "NOT_PAUSABLE"
  | "TEST_NOT_ACCEPTED"
  | "STOPPING";

/** Reasons of one code that has several; see `RelayError.reason`. */
type FurtherReason = "SIGNATURE_MISSING";

const restored = "Meta repeats refused deliveries for an hour; then it ends the subscription.";

const reasons: Record<Exclude<ErrorCode, CodeOfOtherRequests> | FurtherReason, RefusalReason> = {
  SIGNATURE_INVALID: {
    what: "their signature does not match (401)",
    advice: `Check INSTAGRAM_APP_SECRET: if it is not that of the app that is subscribed, every delivery is refused. ${restored}`,
  },
  SIGNATURE_MISSING: {
    what: "they came without a signature (401)",
    advice:
      "Meta signs each delivery: these are not from Meta, or a proxy before the relay removes the header X-Hub-Signature-256.",
  },
  BODY_TOO_LARGE: {
    what: "their body is too large (413)",
    advice: "Meta's deliveries are far smaller than 3 MB. If these are genuine, raise WEBHOOK_BODY_BYTES_MAX.",
  },
  BODY_INCOMPLETE: {
    what: "their body was cut short (400)",
    advice: "The sender or a proxy before the relay ended the request early.",
  },
  BODY_TIMEOUT: {
    what: "their body did not arrive in time (408)",
    advice: "The sender is slower than Meta, or a proxy before the relay holds requests back.",
  },
  ENV_INVALID: {
    what: "a variable of the webhook is missing or malformed (503)",
    advice: `/api/health and the log name the variables. Set them and deploy again. ${restored}`,
  },
  NOT_KEPT: {
    what: "neither the queue nor the fallback kept them in time (503)",
    advice: `npm run relay -- doctor finds the cause. ${restored}`,
  },
  INTERNAL: {
    what: "the webhook failed unexpectedly (500)",
    advice: `This is a bug of the relay: the cause is logged with delivery.refused. ${restored}`,
  },
};

/** Every reason that the webhook refuses a delivery for. */
export const refusalReasons: readonly string[] = Object.keys(reasons);

const byName = new Map<string, RefusalReason>(Object.entries(reasons));

/** Explains a reason; an unknown one by its name alone. */
export function explainReason(reason: string): RefusalReason {
  return byName.get(reason) ?? { what: reason, advice: "Look for delivery.refused in the log." };
}
