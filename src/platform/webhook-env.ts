// The variables that the webhook reads, and how. Apart from the others, so that the edge function holds no more.
import { RelayError } from "./errors.ts";
import { parseUrl } from "./parse-url.ts";

/** The environment as the platform gives it; passed in, never read from `process` here. */
export type EnvRecord = Readonly<Record<string, string | undefined>>;

/** How long a delivery waits for the publish before it is acknowledged. */
export type AckMode = { kind: "immediate" } | { kind: "durable" } | { kind: "race"; limitMs: number };

export interface Variable<T> {
  /** Returns the value, or `undefined` if the text is malformed. */
  parse: (text: string) => T | undefined;
  /** Used when the variable is absent or empty; without a fallback the variable is required. */
  fallback?: (record: EnvRecord) => T | undefined;
}

export type Variables = Readonly<Record<string, Variable<unknown>>>;

/** Any text that is not empty. */
export const text: Variable<string> = { parse: (value) => value };

/** The value becomes a header: any other character would make each request fail. */
const parseToken = (value: string) => (/^[\x21-\x7e]+$/.test(value) ? value : undefined);
export const token: Variable<string> = { parse: parseToken };
const optionalToken = optional(token);

/** Long enough that no rate of guessing matters; `openssl rand -base64 32` makes 44 characters. */
export const secret: Variable<string> = { parse: (value) => (value.length < 32 ? undefined : value) };
/** The first one signs; each of them is accepted, so that two deployments understand each other while it is rotated. */
const secrets: Variable<readonly [string, ...string[]]> = {
  parse: (value) => {
    const [first, ...rest] = splitList(value).map(secret.parse);
    return first === undefined || rest.includes(undefined) ? undefined : [first, ...(rest as string[])];
  },
};

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

/** A whole number within the limits, or the fallback if the variable is not set. */
export const integer = (fallback: number, min: number, max: number) => number(fallback, min, max, /^\d{1,15}$/);
const share = (fallback: number) => number(fallback, 0, 1, /^\d(\.\d{1,15})?$/);

/** The same variable, null if it is not set. */
export function optional<T>({ parse }: Variable<T>): Variable<T | null> {
  return { parse, fallback: () => null };
}

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
 * The most time for publishing and for the fallback: an edge function has 25 s for the body, these two and the report.
 * https://vercel.com/docs/functions/limitations
 */
const publishMsMax = 9_000;
const fallbackMsMax = 5_000;

/** What a delivery needs, beside its queue's variables: the webhook answers 503 while one is missing or malformed. */
export const deliveryVariables = {
  INSTAGRAM_APP_SECRET: list,
  RELAY_URL: { parse: parseBaseUrls, fallback: vercelUrls },
  RELAY_SECRET: secrets,
  ACK_MODE: ackMode,
  PUBLISH_TIMEOUT_MS: integer(3_000, 1, publishMsMax),
  PUBLISH_RETRIES: integer(3, 0, 10),
  PUBLISH_BUDGET_MS: integer(8_000, 1, publishMsMax),
  FALLBACK_BUDGET_MS: integer(5_000, 1, fallbackMsMax),
  REPORT_SAMPLE_RATE: share(0.1),
  WEBHOOK_BODY_BYTES_MAX: integer(3_145_728, 1, 100_000_000),
  VERCEL_AUTOMATION_BYPASS_SECRET: optionalToken,
} satisfies Variables;

export type DeliveryVariable = keyof typeof deliveryVariables;

/** Reads these of a delivery's variables. Throws `ENV_INVALID` naming each gap. */
export function readDeliveryEnv<Name extends DeliveryVariable>(
  record: EnvRecord,
  ...names: Name[]
): Pick<Values<typeof deliveryVariables>, Name> {
  return readVariables(deliveryVariables, record, names);
}

/** Reads all of a delivery's variables, its queue's included. Throws `ENV_INVALID` naming each gap. */
export function readForwardEnv<Queue extends Variables>(
  record: EnvRecord,
  queueVariables: Queue,
): Values<typeof deliveryVariables> & Values<Queue> {
  const all = { ...deliveryVariables, ...queueVariables };
  const env: unknown = readVariables<Variables, string>(all, record, Object.keys(all));
  return env as Values<typeof deliveryVariables> & Values<Queue>;
}

/** Reads the handshake's token. Throws `ENV_INVALID` if there is none. */
export function readVerifyToken(record: EnvRecord): string {
  return readVariables({ INSTAGRAM_VERIFY_TOKEN: text }, record, ["INSTAGRAM_VERIFY_TOKEN"]).INSTAGRAM_VERIFY_TOKEN;
}

/** The values of a table's variables, by name. */
export type Values<Table extends Variables> = {
  [Name in keyof Table]: Exclude<ReturnType<Table[Name]["parse"]>, undefined>;
};

/**
 * Reads the named variables of a table, or throws `ENV_INVALID` naming every gap at once, by name and never by value.
 * White space around a value is dropped: a token pasted with its newline is QStash's most frequent 401.
 */
export function readVariables<Table extends Variables, Name extends keyof Table & string>(
  table: Table,
  record: EnvRecord,
  names: readonly Name[],
): Pick<Values<Table>, Name> {
  const env: Record<string, unknown> = {};
  const gaps: string[] = [];
  for (const name of names) {
    const variable: Table[Name] = table[name];
    const given = record[name]?.trim() ?? "";
    const value = given === "" ? variable.fallback?.(record) : variable.parse(given);
    const gap =
      given === ""
        ? "not set"
        : variable === secret || variable === secrets
          ? "shorter than 32 characters"
          : "malformed";
    if (value === undefined) gaps.push(`${name} is ${gap}`);
    else env[name] = value;
  }
  if (gaps.length > 0) throw new RelayError("ENV_INVALID", `Configuration is incomplete: ${gaps.join(", ")}`);
  return env as Pick<Values<Table>, Name>;
}

function splitList(value: string): string[] {
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/**
 * An http(s) base URL without a trailing slash, user, query or fragment; `fetch` takes no user in an address. The host
 * becomes lower case and punycode, without a default port, and the path loses doubled slashes, so that the address QStash
 * gets, the `sub` it signs and the address we compare are the same text.
 */
export function parseBaseUrl(value: string): string | undefined {
  const url = /^https?:\/\/[^\s?#@]+$/i.test(value) ? parseUrl(value) : null;
  return url === null ? undefined : url.origin + url.pathname.replace(/\/+/g, "/").replace(/\/$/, "");
}

function parseBaseUrls(value: string): readonly [string, ...string[]] | undefined {
  const [first, ...others] = splitList(value).map(parseBaseUrl);
  return first !== undefined && others.every((url) => url !== undefined) ? [first, ...others] : undefined;
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
