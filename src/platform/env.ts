import { RelayError } from "./errors.ts";

/** The environment as the platform gives it; passed in, never read from `process` here. */
export type EnvRecord = Readonly<Record<string, string | undefined>>;

/** How long a delivery waits for the publish before it is acknowledged. */
export type AckMode = { kind: "immediate" } | { kind: "durable" } | { kind: "race"; limitMs: number };

interface Variable<T> {
  /** Returns the value, or `undefined` if the text is malformed. */
  parse: (text: string) => T | undefined;
  /** Used when the variable is absent or empty; a variable without one is required by whoever names it. */
  fallback?: (record: EnvRecord) => T | undefined;
}

const text: Variable<string> = { parse: (value) => value };

/** What becomes a header: another character in it would make each request fail. */
const parseToken = (value: string) => (/^[\x21-\x7e]+$/.test(value) ? value : undefined);
const token: Variable<string> = { parse: parseToken };
const optionalToken: Variable<string | null> = { parse: parseToken, fallback: () => null };

/** Long enough that no rate of guessing matters; `openssl rand -base64 32` makes 44 characters. */
const secret: Variable<string> = { parse: (value) => (value.length < 32 ? undefined : value) };

const list: Variable<readonly string[]> = {
  parse: (value) => {
    const items = splitList(value);
    return items.length > 0 ? items : undefined;
  },
};

function number(fallback: number, min: number, max: number, pattern: RegExp): Variable<number> {
  return {
    parse: (value) => {
      const parsed = pattern.test(value) ? Number(value) : Number.NaN;
      return parsed >= min && parsed <= max ? parsed : undefined;
    },
    fallback: () => fallback,
  };
}

const integer = (fallback: number, min: number, max: number) => number(fallback, min, max, /^\d{1,15}$/);
const share = (fallback: number) => number(fallback, 0, 1, /^\d(\.\d{1,15})?$/);

/** Meta waits five seconds. */
const raceMsMax = 4_500;

const ackMode: Variable<AckMode> = {
  parse: (value) => {
    if (value === "immediate" || value === "durable") return { kind: value };
    const limit = /^race:(\d{1,5})$/.exec(value)?.[1];
    return limit !== undefined && Number(limit) <= raceMsMax ? { kind: "race", limitMs: Number(limit) } : undefined;
  },
  fallback: () => ({ kind: "immediate" }),
};

/**
 * What publishing and the fallback may take at most: with the body before and the report after, an edge function has
 * 25 s for all. https://vercel.com/docs/functions/limitations
 */
const publishMsMax = 9_000;
const fallbackMsMax = 5_000;

/**
 * Every variable the product knows, in the order of the README's table. A test holds this list, the README and
 * `.env.example` together.
 */
export const variables = {
  INSTAGRAM_APP_SECRET: list,
  INSTAGRAM_VERIFY_TOKEN: text,
  QSTASH_TOKEN: token,
  QSTASH_URL: { parse: parseBaseUrl, fallback: () => "https://qstash.upstash.io" },
  QSTASH_CURRENT_SIGNING_KEY: text,
  QSTASH_NEXT_SIGNING_KEY: text,
  RELAY_URL: { parse: parseBaseUrls, fallback: vercelUrls },
  RELAY_SECRET: secret,
  DATABASE_URL: { parse: parseDatabaseUrl },
  OPS_TOKEN: secret,
  ACK_MODE: ackMode,
  PUBLISH_TIMEOUT_MS: integer(3_000, 1, publishMsMax),
  PUBLISH_RETRIES: integer(3, 0, 10),
  PUBLISH_BUDGET_MS: integer(8_000, 1, publishMsMax),
  FALLBACK_BUDGET_MS: integer(5_000, 1, fallbackMsMax),
  REPORT_SAMPLE_RATE: share(1),
  QSTASH_RETRIES: integer(5, 0, 1_000),
  WEBHOOK_BODY_BYTES_MAX: integer(3_145_728, 1, 100_000_000),
  VERCEL_AUTOMATION_BYPASS_SECRET: optionalToken,
  DATABASE_POOL_MAX: integer(5, 1, 100),
} satisfies Record<string, Variable<unknown>>;

export type EnvName = keyof typeof variables;

/** What the webhook needs for a delivery, its publishing included: it answers 503 while one of them is missing or malformed. */
export const webhookVariables = [
  "INSTAGRAM_APP_SECRET",
  "QSTASH_TOKEN",
  "QSTASH_URL",
  "RELAY_URL",
  "RELAY_SECRET",
  "ACK_MODE",
  "PUBLISH_TIMEOUT_MS",
  "PUBLISH_RETRIES",
  "PUBLISH_BUDGET_MS",
  "FALLBACK_BUDGET_MS",
  "REPORT_SAMPLE_RATE",
  "QSTASH_RETRIES",
  "WEBHOOK_BODY_BYTES_MAX",
  "VERCEL_AUTOMATION_BYPASS_SECRET",
] as const satisfies readonly EnvName[];

/** What the path from Meta to the store needs beyond that: the handshake's token and the consumer's variables. */
const furtherPathVariables = [
  "INSTAGRAM_VERIFY_TOKEN",
  "QSTASH_CURRENT_SIGNING_KEY",
  "QSTASH_NEXT_SIGNING_KEY",
  "DATABASE_URL",
] as const satisfies readonly EnvName[];
export type Env = { [Name in EnvName]: Exclude<ReturnType<(typeof variables)[Name]["parse"]>, undefined> };

/**
 * Reads the named variables, or throws `ENV_INVALID` naming every gap at once, by name and never by value. White space
 * around a value is dropped: a token pasted with its newline is QStash's most frequent 401.
 */
export function readEnv<Name extends EnvName>(record: EnvRecord, names: readonly Name[]): Pick<Env, Name> {
  const env: Partial<Record<EnvName, unknown>> = {};
  const gaps: string[] = [];
  for (const name of names) {
    const variable: Variable<unknown> = variables[name];
    const given = record[name]?.trim() ?? "";
    const value = given === "" ? variable.fallback?.(record) : variable.parse(given);
    const gap = given === "" ? "not set" : variable === secret ? "shorter than 32 characters" : "malformed";
    if (value === undefined) gaps.push(`${name} is ${gap}`);
    else env[name] = value;
  }
  if (gaps.length > 0) throw new RelayError("ENV_INVALID", `Configuration is incomplete: ${gaps.join(", ")}`);
  return env as Pick<Env, Name>;
}

/**
 * Reads every variable on the path of an event from Meta to the store. Throws `ENV_INVALID` naming each gap: with one of
 * them the webhook refuses what comes, or what it acknowledges does not arrive.
 */
export function readPathEnv(
  record: EnvRecord,
): Pick<Env, (typeof webhookVariables)[number] | (typeof furtherPathVariables)[number]> {
  return readEnv(record, [...webhookVariables, ...furtherPathVariables]);
}

function splitList(value: string): string[] {
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/**
 * An http(s) base URL without a trailing slash, user, query or fragment; `fetch` takes no user in an address. The host
 * comes out in lower case and as punycode, without a default port, and the path without doubled slashes, so that what
 * QStash is given, what it signs as `sub` and what is compared with it are the same text.
 */
export function parseBaseUrl(value: string): string | undefined {
  if (!/^https?:\/\/[^\s?#@]+$/i.test(value) || !URL.canParse(value)) return undefined;
  const { origin, pathname } = new URL(value);
  return origin + pathname.replace(/\/+/g, "/").replace(/\/$/, "");
}

function parseBaseUrls(value: string): readonly [string, ...string[]] | undefined {
  const [first, ...others] = splitList(value).map(parseBaseUrl);
  return first !== undefined && others.every((url) => url !== undefined) ? [first, ...others] : undefined;
}

/** An address of Postgres. Over a Unix socket it has no host, as pg reads it. */
function parseDatabaseUrl(value: string): string | undefined {
  return /^postgres(ql)?:\/\/./.test(value) && URL.canParse(value.replace("@/", "@h/")) ? value : undefined;
}

/**
 * Vercel's own addresses of the deployment, without a scheme. The production domain first: QStash may deliver days
 * later, when a deployment's own address is long behind. https://vercel.com/docs/environment-variables/system-environment-variables
 */
function vercelUrls(record: EnvRecord): readonly [string, ...string[]] | undefined {
  const hosts = [
    record["VERCEL_ENV"] === "production" ? record["VERCEL_PROJECT_PRODUCTION_URL"] : record["VERCEL_BRANCH_URL"],
    record["VERCEL_URL"],
  ];
  return parseBaseUrls(hosts.flatMap((host) => (host ? [`https://${host}`] : [])).join());
}
