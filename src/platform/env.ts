import { describeOtherQueue } from "./built-queue.ts";
import { RelayError } from "./errors.ts";
import { type InstagramToken, parseInstagramTokens } from "./instagram-tokens.ts";
import { type LogLevel, logLevels } from "./log.ts";
import { type OpsToken, parseOpsTokens } from "./ops-token.ts";
import { parseUrl } from "./parse-url.ts";
import { cloudTasksPublisherVariables } from "./queue-env/cloud-tasks.ts";
import { qstashPublisherVariables } from "./queue-env/qstash.ts";
import { redisVariables } from "./queue-env/redis.ts";
import { sqsVariables } from "./queue-env/sqs.ts";
import { vercelPublisherVariables } from "./queue-env/vercel.ts";
import { type QueueName, queueNames } from "./queue-name.ts";
import {
  deliveryVariables,
  type EnvRecord,
  integer,
  optional,
  parseBaseUrl,
  readVariables,
  secret,
  text,
  type Values,
  type Variable,
  type Variables,
} from "./webhook-env.ts";

export { type EnvRecord, parseBaseUrl };

const { INSTAGRAM_APP_SECRET, RELAY_URL, RELAY_SECRET, ...furtherDeliveryVariables } = deliveryVariables;
const { QSTASH_TOKEN, QSTASH_URL, ...furtherQstashVariables } = qstashPublisherVariables;

/** Of the queues beside QStash, in the order of docs/QUEUES.md. */
export const otherQueueVariables = {
  ...sqsVariables,
  ...cloudTasksPublisherVariables,
  GOOGLE_CERTS_URL: { parse: parseBaseUrl, fallback: () => "https://www.googleapis.com/oauth2/v3/certs" },
  ...redisVariables,
  ...vercelPublisherVariables,
} satisfies Variables;

/**
 * Every variable the product knows: in the order of the README's table, and then those of other queues. Tests hold these
 * lists, the README, docs/QUEUES.md and `.env.example` together.
 */
export const variables = {
  INSTAGRAM_APP_SECRET,
  INSTAGRAM_VERIFY_TOKEN: text,
  QSTASH_TOKEN,
  QSTASH_URL,
  QSTASH_CURRENT_SIGNING_KEY: text,
  QSTASH_NEXT_SIGNING_KEY: text,
  RELAY_URL,
  RELAY_SECRET,
  DATABASE_URL: { parse: parseDatabaseUrl },
  OPS_TOKEN: secret,
  OPS_TOKENS: { parse: parseOpsTokens, fallback: (): readonly OpsToken[] => [] },
  // Vercel asks for 16 characters. https://vercel.com/docs/cron-jobs/manage-cron-jobs#securing-cron-jobs
  CRON_SECRET: optional({ parse: (value) => (value.length < 16 ? undefined : value) }),
  QUEUE: oneOf(...queueNames),
  ...furtherQstashVariables,
  ...furtherDeliveryVariables,
  HANDLER_TIMEOUT_MS: integer(10_000, 1, 50_000),
  HANDLER_CONCURRENCY: integer(4, 1, 50),
  HANDLER_RETRIES: integer(8, 0, 8),
  UNSENT_MESSAGES: oneOf("erase", "keep"),
  PAYLOAD_RETENTION_DAYS: integer(0, 0, 36_500),
  DELIVERY_RETENTION_DAYS: integer(90, 1, 36_500),
  // By default 1,200 pairs, which show a p95 20 % lower, in about three days; at most a burst at each call of maintenance.
  PROBE_PAIRS_PER_DAY: integer(384, 0, 1_152),
  DATABASE_POOL_MAX: integer(5, 1, 100),
  DRAIN_DELAY_MS: integer(0, 0, 60_000),
  ALERT_WEBHOOK_URL: { parse: parseReceivers, fallback: (): readonly string[] => [] },
  INSTAGRAM_ACCESS_TOKEN: { parse: parseInstagramTokens, fallback: (): readonly InstagramToken[] => [] },
  INSTAGRAM_GRAPH_URL: optional({ parse: parseGraphUrl }),
  LOG_LEVEL: { parse: (value) => logLevels.find((level) => level === value), fallback: (): LogLevel => "info" },
  ...otherQueueVariables,
} satisfies Variables;

export type EnvName = keyof typeof variables;
export type Env = Values<typeof variables>;

/** Reads the named variables. Throws `ENV_INVALID` naming each gap, by name and never by value. */
export function readEnv<Name extends EnvName>(record: EnvRecord, names: readonly Name[]): Pick<Env, Name> {
  return readVariables(variables, record, names);
}

/** What the path from Meta to the store needs whichever queue is used. */
const pathVariables = [
  ...(Object.keys(deliveryVariables) as (keyof typeof deliveryVariables)[]),
  "INSTAGRAM_VERIFY_TOKEN",
  "DATABASE_URL",
] as const satisfies readonly EnvName[];

/** What each queue needs beside what every path needs, on the edge and on Node. */
export const queueVariables: Record<QueueName, readonly EnvName[]> = {
  qstash: [
    ...(Object.keys(qstashPublisherVariables) as (keyof typeof qstashPublisherVariables)[]),
    "QSTASH_CURRENT_SIGNING_KEY",
    "QSTASH_NEXT_SIGNING_KEY",
  ],
  sqs: Object.keys(sqsVariables) as (keyof typeof sqsVariables)[],
  "cloud-tasks": ["CLOUD_TASKS_QUEUE", "GOOGLE_SERVICE_ACCOUNT_KEY", "CLOUD_TASKS_URL", "GOOGLE_CERTS_URL"],
  redis: Object.keys(redisVariables) as (keyof typeof redisVariables)[],
  postgres: [],
  vercel: ["VERCEL_QUEUE_REGION", "VERCEL_QUEUE_URL", "VERCEL_OIDC_TOKEN", "VERCEL_DEPLOYMENT_ID"],
};

/** Variables that only other queues read. */
export function otherQueuesVariables(queue: QueueName): ReadonlySet<EnvName> {
  const used = new Set<EnvName>([...pathVariables, ...queueVariables[queue]]);
  const others = queueNames.filter((name) => name !== queue).flatMap((name) => queueVariables[name]);
  return new Set(others.filter((name) => !used.has(name)));
}

/**
 * Reads every variable on the path of an event from Meta through the build's queue to the store. Throws `ENV_INVALID` naming
 * each gap: with one of them the webhook refuses deliveries, or what it acknowledges does not arrive. If QUEUE names another
 * queue, the message says so, because the operator has set the variables of that queue and would not see why others are missing.
 */
export function readPathEnv(record: EnvRecord, queue: QueueName): Pick<Env, (typeof pathVariables)[number]> {
  try {
    return readEnv(record, [...pathVariables, ...queueVariables[queue]]);
  } catch (thrown) {
    const other = describeOtherQueue(record, queue);
    if (other === null || !(thrown instanceof RelayError)) throw thrown;
    throw new RelayError("ENV_INVALID", `${thrown.message}; ${other}`);
  }
}

/** The base address of Instagram's API. A token is sent there, so http is for this machine alone. */
function parseGraphUrl(value: string): string | undefined {
  const url = parseBaseUrl(value);
  return url !== undefined && /^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$))/.test(url)
    ? url
    : undefined;
}

/** One of these words; the first if the variable is not set. */
function oneOf<const Word extends string>(first: Word, ...others: Word[]): Variable<Word> {
  return { parse: (value) => [first, ...others].find((word) => word === value), fallback: () => first };
}

/** An address of Postgres. Over a Unix socket it has no host, as pg reads it. */
function parseDatabaseUrl(value: string): string | undefined {
  return /^postgres(ql)?:\/\/./.test(value) && parseUrl(value.replace("@/", "@h/")) ? value : undefined;
}

/**
 * Addresses that alerts are sent to, each once. They may be secrets, as Slack's are, so http is for this machine alone. Any
 * host is accepted: only who sets the relay's variables chooses it.
 */
function parseReceivers(value: string): readonly string[] | undefined {
  const urls = value.split(",").map((item) => item.trim());
  const isUsable = (url: string) =>
    parseUrl(url) !== null && /^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$))[^\s@]*$/i.test(url);
  return urls.every(isUsable) ? [...new Set(urls)] : undefined;
}
