import { type LogLevel, logLevels } from "./log.ts";
import { type OpsToken, parseOpsTokens } from "./ops-token.ts";
import {
  deliveryVariables,
  type EnvRecord,
  integer,
  optional,
  readVariables,
  secret,
  text,
  type Values,
  type Variable,
  type Variables,
} from "./webhook-env.ts";

export { type EnvRecord, parseBaseUrl } from "./webhook-env.ts";

const { INSTAGRAM_APP_SECRET, QSTASH_TOKEN, QSTASH_URL, RELAY_URL, RELAY_SECRET, ...furtherDeliveryVariables } =
  deliveryVariables;

/**
 * Every variable the product knows, in the order of the README's table. A test holds this list, the README and
 * `.env.example` together.
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
  LOG_LEVEL: { parse: (value) => logLevels.find((level) => level === value), fallback: (): LogLevel => "info" },
} satisfies Variables;

export type EnvName = keyof typeof variables;
export type Env = Values<typeof variables>;

/** Reads the named variables. Throws `ENV_INVALID` naming each gap, by name and never by value. */
export function readEnv<Name extends EnvName>(record: EnvRecord, names: readonly Name[]): Pick<Env, Name> {
  return readVariables(variables, record, names);
}

/** What the path from Meta to the store needs beyond a delivery's variables: the handshake's token and the consumer's. */
const furtherPathVariables = [
  "INSTAGRAM_VERIFY_TOKEN",
  "QSTASH_CURRENT_SIGNING_KEY",
  "QSTASH_NEXT_SIGNING_KEY",
  "DATABASE_URL",
] as const satisfies readonly EnvName[];

type PathVariable = keyof typeof deliveryVariables | (typeof furtherPathVariables)[number];

/**
 * Reads every variable on the path of an event from Meta to the store. Throws `ENV_INVALID` naming each gap: with one of
 * them the webhook refuses deliveries, or what it acknowledges does not arrive.
 */
export function readPathEnv(record: EnvRecord): Pick<Env, PathVariable> {
  const names = Object.keys(deliveryVariables) as (keyof typeof deliveryVariables)[];
  return readEnv(record, [...names, ...furtherPathVariables]);
}

/** One of these words; the first if the variable is not set. */
function oneOf<const Word extends string>(first: Word, ...others: Word[]): Variable<Word> {
  return { parse: (value) => [first, ...others].find((word) => word === value), fallback: () => first };
}

/** An address of Postgres. Over a Unix socket it has no host, as pg reads it. */
function parseDatabaseUrl(value: string): string | undefined {
  return /^postgres(ql)?:\/\/./.test(value) && URL.canParse(value.replace("@/", "@h/")) ? value : undefined;
}

/**
 * Addresses that alerts are sent to, each once. They may be secrets, as Slack's are, so http is for this machine alone. Any
 * host is accepted: only who sets the relay's variables chooses it.
 */
function parseReceivers(value: string): readonly string[] | undefined {
  const urls = value.split(",").map((item) => item.trim());
  const isUsable = (url: string) =>
    URL.canParse(url) && /^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$))[^\s@]*$/i.test(url);
  return urls.every(isUsable) ? [...new Set(urls)] : undefined;
}
