import { fetchWithin, type Network } from "#platform/bounded-fetch.ts";
import type { Log } from "#platform/log.ts";
import { protectionBypass } from "#platform/protection-bypass.ts";

/** What answers at our own public address: the relay, a redirect, or unknown. */
export type RelayAddress = { state: "ok" | "unknown" } | { state: "redirects"; leadsTo: string };

export interface RelayAddressOptions extends Network {
  log: Log;
}

/** The consumer's route, where QStash delivers: to `GET` it answers 405 and does nothing. */
const path = "/api/qstash/instagram-ingestion";
const limitMs = 2_000;
const everyMs = 60_000;

/**
 * Requests our own public address, once a minute at most, to see whether the relay itself answers. An address that
 * redirects, for example a bare domain to its www, looks healthy otherwise: publishing succeeds, but QStash follows no
 * redirect, and neither do our own reports, which would show the fault. Never rejects.
 */
export function createRelayAddressReader({ log, ...network }: RelayAddressOptions) {
  const { clock } = network;
  let asked: { url: string; atMs: number; answer: Promise<RelayAddress> } | undefined;

  async function ask(relayUrl: string, bypassSecret: string | null): Promise<RelayAddress> {
    try {
      const init = { headers: protectionBypass(bypassSecret) };
      const answer = await fetchWithin(limitMs, relayUrl + path, init, network);
      const leadsTo = redirectOf(answer, relayUrl);
      if (leadsTo === undefined) return { state: answer.status === 405 ? "ok" : "unknown" };
      log.error("relay_url.redirects", { leadsTo });
      return { state: "redirects", leadsTo };
    } catch {
      // A machine may be unable to reach its own public address, for example behind a router.
      return { state: "unknown" };
    }
  }

  return (relayUrl: string, bypassSecret: string | null): Promise<RelayAddress> => {
    const atMs = clock.monotonicMs();
    if (asked === undefined || asked.url !== relayUrl || atMs - asked.atMs >= everyMs) {
      asked = { url: relayUrl, atMs, answer: ask(relayUrl, bypassSecret) };
    }
    return asked.answer;
  };
}

/** Where a redirect leads, as RELAY_URL would name it: without our route and without a query, which may hold a ticket. */
function redirectOf({ status, headers }: { status: number; headers: Headers }, relayUrl: string): string | undefined {
  const location = headers.get("location");
  if (status < 300 || status > 399 || location === null || !URL.canParse(location, relayUrl)) return undefined;
  const { origin, pathname } = new URL(location, relayUrl);
  return origin + (pathname.endsWith(path) ? pathname.slice(0, -path.length) : pathname).replace(/\/$/, "");
}
