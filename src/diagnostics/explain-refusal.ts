import { TimeoutError } from "#platform/bounded-fetch.ts";
import type { ForwardErrorCode } from "#platform/forward-error.ts";

import type { Advice } from "./check.ts";
import { explainNetwork } from "./explain-network.ts";
import { parseObject } from "./qstash-api.ts";

/** The names that metrics and log lines use for the same failures. */
export type PublishErrorCode = Extract<ForwardErrorCode, `PUBLISH_${string}`>;

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
  const { error } = parseObject(text);
  const words = typeof error === "string" ? error : "";
  const found = refusals.find(
    (refusal) =>
      refusal.status.test(String(status)) &&
      (refusal.words?.test(words) ?? true) &&
      (refusal.canRead === undefined || refusal.canRead === canRead),
  );
  const { type, cause, remedy } = found ?? unexpected;
  const isNamed = found?.words !== undefined || words === "";
  const quote = isNamed ? "" : ` QStash says: ${withoutValues(words, values)}`;
  return { type, cause: `${cause}.${quote}`, remedy: `${remedy}.` };
}

/** Why no answer came at all, or none that could be read. */
export function explainNoAnswer(error: unknown): Refusal {
  // The SDK's, of a success that is not JSON.
  if (error instanceof SyntaxError) return explainRefusal(200, "", { canRead: true, values: [] });
  const type = error instanceof TimeoutError ? "PUBLISH_TIMEOUT" : "PUBLISH_NETWORK";
  return { type, ...explainNetwork(error, { variable: "QSTASH_URL" }) };
}

interface KnownRefusal extends Refusal {
  status: RegExp;
  words?: RegExp;
  canRead?: boolean;
}

/** The first that fits counts. */
const refusals: readonly KnownRefusal[] = [
  {
    status: /^400$/,
    words: /loopback|private address/i,
    type: "PUBLISH_INVALID",
    cause: "RELAY_URL is an address of this machine or network, which QStash cannot reach",
    remedy:
      "Set RELAY_URL to the public address, of a tunnel say; or remove QSTASH_URL and QSTASH_TOKEN: npm start brings a QStash of its own",
  },
  {
    status: /^400$/,
    words: /resolve host|no such host/i,
    type: "PUBLISH_INVALID",
    cause: "QStash finds no host of the name in RELAY_URL",
    remedy: "Correct RELAY_URL, or create the DNS record and wait until it is known",
  },
  {
    status: /^400$/,
    words: /destination url/i,
    type: "PUBLISH_INVALID",
    cause: "QStash takes RELAY_URL for no address it could deliver to",
    remedy: "Set RELAY_URL to a public base URL that begins with https://",
  },
  {
    status: /^400$/,
    type: "PUBLISH_INVALID",
    cause: "QStash did not understand the request",
    remedy: "Check RELAY_URL and QSTASH_URL",
  },
  {
    status: /^40[13]$/,
    canRead: true,
    type: "PUBLISH_UNAUTHORIZED",
    cause: "QSTASH_TOKEN may read but not publish: it is the account's read-only token",
    remedy: "Copy the other token from the QStash console",
  },
  {
    status: /^40[13]$/,
    type: "PUBLISH_UNAUTHORIZED",
    cause: "QSTASH_TOKEN is that of another region than QSTASH_URL, was rotated, or is not a QStash token",
    remedy:
      "Copy QSTASH_TOKEN and QSTASH_URL together from the QStash console, and deploy again; for the QStash of npm start set neither",
  },
  {
    status: /^404$/,
    words: /not found in this region/i,
    type: "PUBLISH_NOT_FOUND",
    cause: "QSTASH_TOKEN is that of another region than QSTASH_URL",
    remedy:
      "Set QSTASH_URL to the token's region: https://qstash.upstash.io is Europe's, https://qstash-us-east-1.upstash.io America's",
  },
  {
    status: /^404$/,
    type: "PUBLISH_NOT_FOUND",
    cause: "QSTASH_URL is not the base URL of QStash: another host, or a path too many",
    remedy: "Copy QSTASH_URL from the QStash console",
  },
  {
    status: /^412$/,
    words: /maxRetries/,
    type: "PUBLISH_OVER_QUOTA",
    cause: "QSTASH_RETRIES is more than the plan allows",
    remedy: "Lower QSTASH_RETRIES, to 5 on the free and the pay-as-you-go plan",
  },
  {
    status: /^41[23]$/,
    type: "PUBLISH_OVER_QUOTA",
    cause: "A limit of the plan is exceeded: of the retries, the message's size, or the messages kept",
    remedy: "Compare QSTASH_RETRIES with the plan's limits, or take a larger plan",
  },
  {
    status: /^429$/,
    type: "PUBLISH_RATE_LIMITED",
    cause: "The plan's messages for today are used up, or too many requests came at once",
    remedy: "Try again in a minute; if it stays, see the usage in the Upstash console or take a larger plan",
  },
  {
    status: /^(408|5\d\d)$/,
    type: "PUBLISH_UNAVAILABLE",
    cause: "QStash itself is in trouble",
    remedy: "See https://status.upstash.com; meanwhile the relay's fallback keeps the events",
  },
  {
    status: /^(0|3\d\d)$/,
    type: "PUBLISH_REJECTED",
    cause: "QSTASH_URL redirects: it begins with http:// or names another host",
    remedy: "Copy QSTASH_URL from the QStash console",
  },
];

const unexpected: Refusal = {
  type: "PUBLISH_REJECTED",
  cause: "QSTASH_URL leads to something that does not answer as QStash does",
  remedy: "Copy QSTASH_URL from the QStash console",
};

const wordsMax = 200;

function withoutValues(words: string, values: readonly string[]): string {
  let shown = words;
  for (const value of values) if (value !== "") shown = shown.replaceAll(value, "…");
  return shown.slice(0, wordsMax);
}
