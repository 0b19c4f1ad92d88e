import { parseUrl } from "#platform/parse-url.ts";

import { ApiError, notSupported } from "./api-error.ts";
import { decodeSegment } from "./names.ts";
import { isStorable } from "../text.ts";
import type { Endpoint, UrlGroupStore } from "../store/url-group-store.ts";

/** More does not fit into a receiver's request line. */
const urlCharactersMax = 16_384;

/** A destination as it stood in the request target, and the settings that stood in its query string. */
export interface Destination {
  url: string;
  settings: ReadonlyMap<string, string>;
}

/**
 * Splits `https://host/path?x=1&upstash-retries=3` into the destination and QStash's own parameters, which callers that
 * cannot set headers put into the query. The rest is kept byte for byte: no decoding, no collapsing of `//`.
 */
export function splitDestination(target: string): Destination {
  const settings = new Map<string, string>();
  const start = target.indexOf("?");
  if (start === -1) return { url: target, settings };
  const kept: string[] = [];
  for (const pair of target.slice(start + 1).split("&")) {
    const [[name, value] = ["", ""]] = [...new URLSearchParams(pair)];
    const lower = name.toLowerCase();
    if (lower.startsWith("upstash-")) settings.set(lower, value);
    else if (lower !== "qstash_token") kept.push(pair);
  }
  const path = target.slice(0, start);
  return { url: kept.length > 0 ? `${path}?${kept.join("&")}` : path, settings };
}

/** Where a publish goes. */
export interface ResolvedDestination {
  settings: ReadonlyMap<string, string>;
  /** The name of the URL group, if it is one. */
  topicName: string | null;
  endpoints: readonly Endpoint[];
}

/** Finds the endpoints behind a destination: the address itself, or those of the URL group of that name. */
export async function resolveDestination(target: string, urlGroups: UrlGroupStore): Promise<ResolvedDestination> {
  const { url, settings } = splitDestination(target);
  const groupName = hasScheme(url) || url.startsWith("api/") ? undefined : decodeSegment(url.split("?", 1)[0] ?? "");
  const group = groupName ? await urlGroups.read(groupName.replaceAll("\0", "")) : undefined;
  if (group) return { settings, topicName: group.name, endpoints: group.endpoints };
  assertDeliverable(url, "destination", groupName);
  return { settings, topicName: null, endpoints: [{ name: null, url }] };
}

/** Whether this is meant to be the address of one receiver, and not the name of a URL group. */
function hasScheme(url: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(url);
}

/** Throws with QStash's words unless `url` can be delivered to. Loopback is allowed: this broker lives on one machine. */
export function assertDeliverable(url: string, what = "destination", groupName?: string): void {
  if (url.startsWith("api/")) throw notSupported(`Publishing to ${url.split("?")[0]}`);
  if (!/^https?:\/\//i.test(url)) {
    const missing = groupName ? `, and no URL group is called ${JSON.stringify(groupName)}` : "";
    throw new ApiError(400, `invalid ${what} url: endpoint has invalid scheme, add http:// or https://${missing}`);
  }
  // A blank or control character cannot be in a request target; in a batch each client would escape it in its own way.
  const isWritten = !/[^\u0021-\u007e\u0080-\uffff]/.test(url) && isStorable(url) && parseUrl(url) !== null;
  if (!isWritten || url.length > urlCharactersMax) throw new ApiError(400, `invalid ${what} url: it cannot be parsed`);
}

const loopback =
  /^https?:\/\/(?:[^/?#]*@)?(?:localhost|[^/?#:]+\.localhost|127(?:\.\d+){3}|\[::1\])(?::\d*)?(?:[/?#]|$)/i;

/** The real QStash refuses these; a configuration that has them does not work there. */
export function isLoopback(url: string): boolean {
  return loopback.test(url);
}
