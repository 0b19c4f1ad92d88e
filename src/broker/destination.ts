import { ApiError, notSupported } from "./api-error.ts";

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

/** Throws with QStash's words unless `url` can be delivered to. Loopback is allowed: this broker lives on one machine. */
export function assertDeliverable(url: string, what = "destination"): void {
  if (url.startsWith("api/")) throw notSupported(`Publishing to ${url.split("?")[0]}`);
  if (!/^https?:\/\//i.test(url)) {
    throw new ApiError(400, `invalid ${what} url: endpoint has invalid scheme, add http:// or https://`);
  }
  // A blank or control character cannot be in a request target; in a batch it would be escaped differently by everyone.
  if (/[^\u0021-\u007e\u0080-\uffff]/.test(url) || !URL.canParse(url)) {
    throw new ApiError(400, `invalid ${what} url: it cannot be parsed`);
  }
}
