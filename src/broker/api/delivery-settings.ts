import { ApiError } from "./api-error.ts";
import { assertDeliverable } from "./destination.ts";
import type { Limits } from "../limits.ts";
import { canonicalHeaderName, type DeliverySettings } from "../message.ts";
import { parseWhole, type PublishHeaders, readDuration, readForwarded, readHeader } from "./publish-headers.ts";
import { parseRetryDelay } from "../delivery/retry-delay.ts";

const methods = new Set(["GET", "POST", "PUT", "PATCH", "DELETE"]);

/** What follows a callback's name as a setting. Any other name is that of a header, as Upstash's Python SDK sends them. */
const callbackSettings = /^(method|retries|retry-delay|timeout|forward-.+)$/;

/** What holds where a header says nothing. */
export type SettingDefaults = Pick<DeliverySettings, "method" | "header" | "maxRetries" | "timeoutMs" | "retryDelay">;

export interface SettingsInput {
  headers: PublishHeaders;
  /** What the headers' names begin with. */
  prefix: string;
  url: string;
  defaults: SettingDefaults;
  limits: Limits;
}

/** Reads `<prefix>Method`, `-Retries`, `-Retry-Delay`, `-Timeout` and `-Forward-*`, which messages and callbacks have alike. */
export function readDeliverySettings({ headers, prefix, url, defaults, limits }: SettingsInput): DeliverySettings {
  const method = (readHeader(headers, `${prefix}method`) ?? defaults.method).toUpperCase();
  if (!methods.has(method)) throw new ApiError(400, `invalid method: ${method}`);
  return {
    url,
    method,
    header: { ...defaults.header, ...readForwarded(headers, `${prefix}forward-`) },
    maxRetries: readRetries(headers, `${prefix}retries`, limits) ?? defaults.maxRetries,
    timeoutMs: readTimeout(headers, `${prefix}timeout`) ?? defaults.timeoutMs,
    retryDelay: readRetryDelay(headers, `${prefix}retry-delay`) ?? defaults.retryDelay ?? null,
  };
}

/**
 * The callback whose address is in header `name`; its own settings are headers that begin with that name. Retries and
 * their delay default to the message's, as QStash's API reference says.
 */
export function readCallback(
  headers: PublishHeaders,
  name: string,
  message: DeliverySettings,
  limits: Limits,
): DeliverySettings | null {
  const url = readHeader(headers, name);
  if (url === undefined) return null;
  assertDeliverable(url, "callback");
  const defaults: SettingDefaults = {
    method: "POST",
    header: { "Content-Type": ["application/json"], ...readForwarded(headers, `${name}-`, callbackSettings) },
    maxRetries: message.maxRetries,
    timeoutMs: null,
    retryDelay: message.retryDelay ?? null,
  };
  return readDeliverySettings({ headers, prefix: `${name}-`, url, defaults, limits });
}

function readRetries(headers: PublishHeaders, name: string, limits: Limits): number | undefined {
  const text = readHeader(headers, name);
  if (text === undefined) return undefined;
  const retries = parseWhole(text, canonicalHeaderName(name));
  if (retries > limits.retriesMax) throw new ApiError(412, "quota maxRetries exceeded");
  return retries;
}

/** Longer than the plan allows is not refused: the plan's own limit comes first then. */
function readTimeout(headers: PublishHeaders, name: string): number | undefined {
  const timeoutMs = readDuration(headers, name);
  if (timeoutMs === 0) throw new ApiError(400, `invalid ${canonicalHeaderName(name)}: it has to be more than 0`);
  return timeoutMs;
}

function readRetryDelay(headers: PublishHeaders, name: string): string | undefined {
  const text = readHeader(headers, name)?.trim();
  if (text !== undefined && !parseRetryDelay(text)) {
    throw new ApiError(400, `invalid ${canonicalHeaderName(name)}: not an expression of \`retried\``);
  }
  return text;
}
