/**
 * Where the real QStash shows its log, or null for another server, such as the embedded one. Upstash's page has no address for
 * one message: it searches by the id.
 */
export function qstashLog(qstashUrl: string): string | null {
  const { hostname } = new URL(qstashUrl);
  return hostname === "upstash.io" || hostname.endsWith(".upstash.io") ? "https://console.upstash.com/qstash" : null;
}
