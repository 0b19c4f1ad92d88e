import { fetchWithin, mayPass, type Network } from "#platform/bounded-fetch.ts";
import type { Log } from "#platform/log.ts";
import { parseUrl } from "#platform/parse-url.ts";
import { protectionBypass } from "#platform/protection-bypass.ts";

/** What answers at our own public address: the relay, a redirect, another program (with its status), or unknown. */
export type RelayAddress =
  | { state: "ok" | "unknown" }
  | { state: "redirects"; leadsTo: string }
  | { state: "foreign"; status: number };

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
      if (leadsTo !== undefined) {
        log.error("relay_url.redirects", { leadsTo });
        return { state: "redirects", leadsTo };
      }
      if (answer.status === 405) return { state: "ok" };
      if (mayPass(answer.status)) return { state: "unknown" };
      log.error("relay_url.foreign", { status: answer.status });
      return { state: "foreign", status: answer.status };
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

/**
 * Where a redirect leads, as RELAY_URL would name it: without our route and without a query, which may hold a ticket.
 * One that names no address that can be followed is a redirect all the same.
 */
function redirectOf({ status, headers }: { status: number; headers: Headers }, relayUrl: string): string | undefined {
  if (![301, 302, 303, 307, 308].includes(status)) return undefined;
  const location = headers.get("location") ?? "";
  const target = location === "" ? null : parseUrl(location, relayUrl);
  if (target === null || !/^https?:$/.test(target.protocol)) return "an address that cannot be read";
  const { origin, pathname } = target;
  return origin + (pathname.endsWith(path) ? pathname.slice(0, -path.length) : pathname).replace(/\/$/, "");
}
