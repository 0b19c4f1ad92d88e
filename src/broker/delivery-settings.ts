import { ApiError, notSupported } from "./api-error.ts";
import { assertDeliverable } from "./destination.ts";
import { parseDurationMs } from "./duration.ts";
import { canonicalHeaderName, type DeliverySettings, type HeaderMap } from "./message.ts";

/** A publish's headers, lower-case, and its settings from the query string, which are headers by other means. */
export type PublishHeaders = ReadonlyMap<string, readonly string[]>;

const defaultRetries = 3;
const retriesMax = 1000;
const methods = new Set(["GET", "POST", "PUT", "PATCH", "DELETE"]);

/** They describe the one connection they came over (RFC 9110, 7.6.1), or the body that we frame ourselves. */
const connectionHeaders = new Set(
  "connection content-length expect host keep-alive te trailer transfer-encoding upgrade".split(" "),
);

/** One header's value, a repeated one joined as RFC 9110, 5.2 has it. */
export function readHeader(headers: PublishHeaders, name: string): string | undefined {
  return headers.get(name)?.join(", ");
}

/** Reads `<prefix>Method`, `-Retries`, `-Timeout` and `-Forward-*`, which messages and callbacks have alike. */
export function readDeliverySettings(headers: PublishHeaders, prefix: string, url: string): DeliverySettings {
  const method = (readHeader(headers, `${prefix}method`) ?? "POST").toUpperCase();
  if (!methods.has(method)) throw new ApiError(400, `invalid method: ${method}`);
  return {
    url,
    method,
    header: readForwarded(headers, `${prefix}forward-`),
    maxRetries: parseRetries(readHeader(headers, `${prefix}retries`)),
    timeoutMs: readDuration(headers, `${prefix}timeout`) ?? null,
  };
}

/** The callback whose address is in header `name`; its own settings are headers that begin with that name. */
export function readCallback(headers: PublishHeaders, name: string): DeliverySettings | null {
  const url = readHeader(headers, name);
  if (url === undefined) return null;
  assertDeliverable(url, "callback");
  const settings = readDeliverySettings(headers, `${name}-`, url);
  if (settings.method === "GET") throw notSupported("A callback by GET");
  return { ...settings, header: { "Content-Type": ["application/json"], ...settings.header } };
}

/** Milliseconds in the duration of header `name`, 400 if it is none. */
export function readDuration(headers: PublishHeaders, name: string): number | undefined {
  const text = readHeader(headers, name);
  if (text === undefined) return undefined;
  const durationMs = parseDurationMs(text.trim());
  if (durationMs === undefined) throw new ApiError(400, `invalid ${canonicalHeaderName(name)}: not a duration`);
  return Math.round(durationMs);
}

function readForwarded(headers: PublishHeaders, prefix: string): HeaderMap {
  const forwarded: Record<string, readonly string[]> = {};
  for (const [header, values] of headers) {
    if (!header.startsWith(prefix)) continue;
    const name = header.slice(prefix.length);
    if (!connectionHeaders.has(name)) forwarded[canonicalHeaderName(name)] = assertSendable(name, values);
  }
  return forwarded;
}

/** A header that cannot be sent would fail each attempt, long after anyone could be told why. */
export function assertSendable(name: string, values: readonly string[]): readonly string[] {
  try {
    for (const value of values) new Headers().append(name, value);
    return values;
  } catch {
    throw new ApiError(400, `invalid header: ${JSON.stringify(name)}`);
  }
}

function parseRetries(text: string | undefined): number {
  if (text === undefined) return defaultRetries;
  if (!/^\d+$/.test(text.trim())) throw new ApiError(400, "invalid Upstash-Retries: not a whole number");
  const retries = Number(text);
  if (retries > retriesMax) throw new ApiError(412, "quota maxRetries exceeded");
  return retries;
}
