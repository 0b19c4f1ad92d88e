import { parseUrl } from "#platform/parse-url.ts";

/**
 * Where the real QStash shows its log; null for another server, such as the embedded one, and for a queue without a log.
 * `qstashUrl`: QSTASH_URL as it is set. Upstash's page has no address for one message: it searches by the id.
 */
export function qstashLog({ attemptLog }: { attemptLog: boolean }, qstashUrl: string | undefined): string | null {
  const url = parseUrl(qstashUrl?.trim() || "https://qstash.upstash.io");
  if (!attemptLog || url === null) return null;
  const { hostname } = url;
  return hostname === "upstash.io" || hostname.endsWith(".upstash.io") ? "https://console.upstash.com/qstash" : null;
}
