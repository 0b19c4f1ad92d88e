/**
 * Where the real QStash shows its log, or null for another server, such as the embedded one. Its console has no address for
 * one message: its page of logs searches by the id.
 */
export function qstashConsole(qstashUrl: string): string | null {
  const { hostname } = new URL(qstashUrl);
  return hostname === "upstash.io" || hostname.endsWith(".upstash.io") ? "https://console.upstash.com/qstash" : null;
}
