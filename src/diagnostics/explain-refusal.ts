import { TimeoutError } from "#platform/bounded-fetch.ts";
import type { ForwardErrorCode } from "#platform/forward-error.ts";
import { parseJsonObject } from "#platform/parse-json.ts";

import type { Advice } from "./check.ts";
import { explainNetwork } from "./explain-network.ts";
import { type AdviceRule, findAdvice } from "./find-advice.ts";

/** The names that metrics and log lines use for the same failures. */
export type PublishErrorCode = Extract<ForwardErrorCode, `PUBLISH_${string}`>;

/** Why a publish failed, and what to do. */
export interface Refusal extends Advice {
  type: PublishErrorCode;
}

/** Why a publish failed, and what to do. */
/** What is known besides the answer. */
export interface RefusalContext {
  /** Whether QStash accepted the same token for reading. */
  canRead: boolean;
  /** Texts that must not be shown if QStash repeats them. */
  values: readonly string[];
}

/**
 * Explains why QStash refused a request, from the status and the words of its answer, which is `{"error":"…"}`. The words
 * are not documented (they are those that QStash has answered), so they only refine what the status says.
 */
export function explainRefusal(status: number, text: string, { canRead, values }: RefusalContext): Refusal {
  const { error } = parseJsonObject(text);
  const words = typeof error === "string" ? error : "";
  const named = findAdvice(byWords, `${status} ${words}`, undefined);
  if (named) return { type: named.type, cause: named.cause, remedy: named.remedy };
  const isForbidden = status === 401 || status === 403;
  const { type, cause, remedy } =
    canRead && isForbidden ? readOnlyToken : findAdvice(byStatus, String(status), unexpected);
  const quote = words === "" ? "" : ` QStash says: ${withoutValues(words, values)}`;
  return { type, cause: cause + quote, remedy };
}

/** Explains why there was no answer, or none that could be read. */
export function explainNoAnswer(error: unknown): Refusal {
  // The SDK throws it for a success that is not JSON.
  if (error instanceof SyntaxError) return explainRefusal(200, "", { canRead: true, values: [] });
  const type = error instanceof TimeoutError ? "PUBLISH_TIMEOUT" : "PUBLISH_NETWORK";
  return { type, ...explainNetwork(error, { variable: "QSTASH_URL" }) };
}

/** Matched against the status and, after a space, the words. */
const byWords: readonly (Refusal & AdviceRule)[] = [
  {
    when: /^400 .*(loopback|private address)/is,
    type: "PUBLISH_INVALID",
    cause: "RELAY_URL is an address of this machine or network, which QStash cannot reach.",
    remedy:
      "Set RELAY_URL to a public address, such as that of a tunnel; or remove QSTASH_URL and QSTASH_TOKEN: npm start then runs a QStash on this machine.",
  },
  {
    when: /^400 .*(resolve host|no such host)/is,
    type: "PUBLISH_INVALID",
    cause: "QStash cannot resolve the host name in RELAY_URL.",
    remedy: "Correct RELAY_URL, or create the DNS record and wait until it is known.",
  },
  {
    when: /^400 .*destination url/is,
    type: "PUBLISH_INVALID",
    cause: "QStash does not accept RELAY_URL as a destination.",
    remedy: "Set RELAY_URL to a public base URL that begins with https://.",
  },
  {
    when: /^404 .*not found in this region/is,
    type: "PUBLISH_NOT_FOUND",
    cause: "QSTASH_TOKEN belongs to another region than QSTASH_URL.",
    remedy:
      "Set QSTASH_URL to the token's region: https://qstash.upstash.io for Europe, https://qstash-us-east-1.upstash.io for America.",
  },
  {
    when: /^412 .*maxRetries/s,
    type: "PUBLISH_OVER_QUOTA",
    cause: "QSTASH_RETRIES is more than the plan allows.",
    remedy: "Lower QSTASH_RETRIES, to 5 on the free and the pay-as-you-go plan.",
  },
];

const readOnlyToken: Refusal = {
  type: "PUBLISH_UNAUTHORIZED",
  cause: "QSTASH_TOKEN can read but not publish: it is the read-only token of the account.",
  remedy: "Copy the other token from the QStash console.",
};

/** Matched against the status. */
const byStatus: readonly (Refusal & AdviceRule)[] = [
  {
    when: /^400$/,
    type: "PUBLISH_INVALID",
    cause: "QStash did not understand the request.",
    remedy: "Check RELAY_URL and QSTASH_URL.",
  },
  {
    when: /^40[13]$/,
    type: "PUBLISH_UNAUTHORIZED",
    cause: "QSTASH_TOKEN belongs to another region than QSTASH_URL, was rotated, or is not a QStash token.",
    remedy:
      "Copy QSTASH_TOKEN and QSTASH_URL together from the QStash console, and deploy again. For the QStash of npm start set neither.",
  },
  {
    when: /^404$/,
    type: "PUBLISH_NOT_FOUND",
    cause: "QSTASH_URL is not the base URL of QStash: it names another host, or has a path.",
    remedy: "Copy QSTASH_URL from the QStash console.",
  },
  {
    when: /^41[23]$/,
    type: "PUBLISH_OVER_QUOTA",
    cause:
      "A limit of the plan is exceeded: the number of retries, the size of a message, or the number of stored messages.",
    remedy: "Compare QSTASH_RETRIES with the plan's limits, or choose a larger plan.",
  },
  {
    when: /^429$/,
    type: "PUBLISH_RATE_LIMITED",
    cause: "The daily number of messages of the plan is used up, or too many requests were sent at once.",
    remedy: "Try again in a minute; if it persists, see the usage in the Upstash console or choose a larger plan.",
  },
  {
    when: /^(408|5\d\d)$/,
    type: "PUBLISH_UNAVAILABLE",
    cause: "QStash itself has a problem.",
    remedy: "See https://status.upstash.com; meanwhile the relay's fallback keeps the events.",
  },
  {
    when: /^(0|3\d\d)$/,
    type: "PUBLISH_REJECTED",
    cause: "QSTASH_URL redirects: it begins with http:// or names another host.",
    remedy: "Copy QSTASH_URL from the QStash console.",
  },
];

const unexpected: Refusal = {
  type: "PUBLISH_REJECTED",
  cause: "The server at QSTASH_URL does not answer like QStash.",
  remedy: "Copy QSTASH_URL from the QStash console.",
};

const wordsMax = 200;

function withoutValues(words: string, values: readonly string[]): string {
  let shown = words;
  for (const value of values) if (value !== "") shown = shown.replaceAll(value, "…");
  return shown.slice(0, wordsMax);
}
