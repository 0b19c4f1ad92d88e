import { ApiError } from "./api-error.ts";
import { parseDurationMs } from "../duration.ts";
import { isSendableHeader } from "../header-text.ts";
import { canonicalHeaderName, type HeaderMap } from "../message.ts";

/** A publish's headers, lower-case, and its settings from the query string, which are headers by other means. */
export type PublishHeaders = ReadonlyMap<string, readonly string[]>;

/** They describe the one connection they came over (RFC 9110, 7.6.1), or the body that we frame ourselves. */
const connectionHeaders = new Set(
  "connection content-length expect host keep-alive proxy-authorization proxy-connection te trailer transfer-encoding upgrade".split(
    " ",
  ),
);

/** One header's value, a repeated one joined as RFC 9110, 5.2 has it. */
export function readHeader(headers: PublishHeaders, name: string): string | undefined {
  return headers.get(name)?.join(", ");
}

/** The headers that begin with `prefix`, without it, but for those whose rest is a setting. */
export function readForwarded(headers: PublishHeaders, prefix: string, settings?: RegExp): HeaderMap {
  const forwarded = new Map<string, readonly string[]>();
  for (const [header, values] of headers) {
    if (!header.startsWith(prefix)) continue;
    const name = header.slice(prefix.length);
    if (!connectionHeaders.has(name) && !settings?.test(name))
      forwarded.set(canonicalHeaderName(name), assertSendable(name, values));
  }
  return Object.fromEntries(forwarded);
}

/** All headers that are not meant for QStash: what `Upstash-Header-Forward` sends on. */
export function readAllForwarded(headers: PublishHeaders): HeaderMap {
  const forwarded = new Map<string, readonly string[]>();
  for (const [name, values] of headers) {
    if (name.startsWith("upstash-") || connectionHeaders.has(name)) continue;
    forwarded.set(canonicalHeaderName(name), assertSendable(name, values));
  }
  return Object.fromEntries(forwarded);
}

/** 400 for a header that cannot be sent: it would fail each attempt, when the publisher no longer waits for an answer. */
export function assertSendable(name: string, values: readonly string[]): readonly string[] {
  if (!values.every((value) => isSendableHeader(name, value))) {
    throw new ApiError(400, `invalid header: ${JSON.stringify(name)}`);
  }
  return values;
}

/** Milliseconds in the duration of header `name`, 400 if it is none. */
export function readDuration(headers: PublishHeaders, name: string): number | undefined {
  const text = readHeader(headers, name);
  if (text === undefined) return undefined;
  const durationMs = parseDurationMs(text.trim());
  if (durationMs === undefined) throw new ApiError(400, `invalid ${canonicalHeaderName(name)}: not a duration`);
  return Math.round(durationMs);
}

/** A whole number of at most 15 digits, which a double holds; 400 for anything else. */
export function parseWhole(text: string, name: string): number {
  if (!/^\d{1,15}$/.test(text.trim())) throw new ApiError(400, `invalid ${name}: not a whole number`);
  return Number(text);
}
