import { TimeoutError } from "#platform/bounded-fetch.ts";
import type { ErrorCode } from "#platform/errors.ts";
import { parseJsonObject } from "#platform/parse-json.ts";

import type { Advice } from "./check.ts";
import { explainNetwork } from "./explain-network.ts";
import { type AdviceRule, findAdvice } from "./find-advice.ts";

/** The names that metrics and log lines use for the same failures. */
export type PublishErrorCode = Extract<ErrorCode, `PUBLISH_${string}`>;

export interface Refusal extends Advice {
  type: PublishErrorCode;
}

export interface RefusalContext {
  /** Whether QStash has taken the same token for reading. */
  canRead: boolean;
  /** What must not be shown, should QStash repeat it. */
  values: readonly string[];
}

/**
 * Why QStash refused a request, from its status and its words, which are `{"error":"…"}`. The texts were seen in the
 * wild, so they only narrow down what the status says.
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

/** Why no answer came at all, or none that could be read. */
export function explainNoAnswer(error: unknown): Refusal {
  // The SDK's, of a success that is not JSON.
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
      "Set RELAY_URL to the public address, of a tunnel say; or remove QSTASH_URL and QSTASH_TOKEN: npm start brings a QStash of its own.",
  },
  {
    when: /^400 .*(resolve host|no such host)/is,
    type: "PUBLISH_INVALID",
    cause: "QStash finds no host of the name in RELAY_URL.",
    remedy: "Correct RELAY_URL, or create the DNS record and wait until it is known.",
  },
  {
    when: /^400 .*destination url/is,
    type: "PUBLISH_INVALID",
    cause: "QStash takes RELAY_URL for no address it could deliver to.",
    remedy: "Set RELAY_URL to a public base URL that begins with https://.",
  },
  {
    when: /^404 .*not found in this region/is,
    type: "PUBLISH_NOT_FOUND",
    cause: "QSTASH_TOKEN is that of another region than QSTASH_URL.",
    remedy:
      "Set QSTASH_URL to the token's region: https://qstash.upstash.io is Europe's, https://qstash-us-east-1.upstash.io America's.",
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
  cause: "QSTASH_TOKEN may read but not publish: it is the account's read-only token.",
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
    cause: "QSTASH_TOKEN is that of another region than QSTASH_URL, was rotated, or is not a QStash token.",
    remedy:
      "Copy QSTASH_TOKEN and QSTASH_URL together from the QStash console, and deploy again; for the QStash of npm start set neither.",
  },
  {
    when: /^404$/,
    type: "PUBLISH_NOT_FOUND",
    cause: "QSTASH_URL is not the base URL of QStash: another host, or a path too many.",
    remedy: "Copy QSTASH_URL from the QStash console.",
  },
  {
    when: /^41[23]$/,
    type: "PUBLISH_OVER_QUOTA",
    cause: "A limit of the plan is exceeded: of the retries, the message's size, or the messages kept.",
    remedy: "Compare QSTASH_RETRIES with the plan's limits, or take a larger plan.",
  },
  {
    when: /^429$/,
    type: "PUBLISH_RATE_LIMITED",
    cause: "The plan's messages for today are used up, or too many requests came at once.",
    remedy: "Try again in a minute; if it stays, see the usage in the Upstash console or take a larger plan.",
  },
  {
    when: /^(408|5\d\d)$/,
    type: "PUBLISH_UNAVAILABLE",
    cause: "QStash itself is in trouble.",
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
  cause: "QSTASH_URL leads to something that does not answer as QStash does.",
  remedy: "Copy QSTASH_URL from the QStash console.",
};

const wordsMax = 200;

function withoutValues(words: string, values: readonly string[]): string {
  let shown = words;
  for (const value of values) if (value !== "") shown = shown.replaceAll(value, "…");
  return shown.slice(0, wordsMax);
}
