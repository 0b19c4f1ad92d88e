/** What `npm start` prints once everything runs: where to look, what to try, how to stop. */
import { randomUUID } from "node:crypto";
import { join, relative } from "node:path";

import { createSignInLink } from "#dashboard/ops-session.ts";
import { systemClock } from "#platform/clock.ts";

import type { RunningServers } from "#local/start-servers.ts";
import { alignRows, type Paint, seconds } from "./terminal.ts";

export interface BannerOptions {
  root: string;
  paint: Paint;
  tookMs: number;
  /** A pipe or a file keeps what is written, and the sign-in link lets anybody in: it is for a terminal only. */
  isTerminal: boolean;
}

export async function describeRunning(running: RunningServers, options: BannerOptions): Promise<string> {
  const { root, paint, tookMs } = options;
  const { plan, settings } = running;
  const link = (url: string) => paint("cyan", url);
  const shorten = (path: string) => (relative(root, path).startsWith("..") ? path : relative(root, path));
  const file = (name: string) => shorten(join(settings.dataDir, name));
  const webhook = `${plan.baseUrl}/api/webhooks/instagram`;
  const logs = [
    "server.log",
    ...(plan.needsBroker ? ["broker.log"] : []),
    ...(plan.needsPostgres ? ["postgres.log"] : []),
  ];
  const rows: [string, string][] = [
    ["Dashboard", await describeDashboard(running, options)],
    ["Webhook, edge", link(webhook)],
    ["Webhook, Node", link(`${webhook}/node`)],
    ["QStash", `${link(running.qstashUrl)} ${paint("dim", plan.needsBroker ? "on this machine" : "the real one")}`],
    ["Postgres", describePostgres(running, shorten)],
    ["Logs", logs.map(file).join(", ")],
    ["Secrets", file("secrets.json")],
  ];
  return [
    "",
    `${paint("bold", "Instagram Webhook Relay is running")} ${paint("dim", `after ${seconds(tookMs)}`)}`,
    "",
    alignRows(rows, paint),
    "",
    `  Send a first delivery with ${paint("bold", "npm run relay -- trigger message")} in another terminal.`,
    "  Ctrl-C stops it, after what is under way; a second Ctrl-C does not wait.",
    "",
  ].join("\n");
}

async function describeDashboard({ plan, opsToken }: RunningServers, options: BannerOptions): Promise<string> {
  const { paint, isTerminal } = options;
  const { baseUrl } = plan;
  if (isTerminal) {
    const link = { baseUrl, opsToken, nowMs: systemClock.nowMs(), id: randomUUID() };
    return `${paint("cyan", await createSignInLink(link))} ${paint("dim", "works once")}`;
  }
  return `${paint("cyan", `${baseUrl}/dashboard`)}, a link that signs you in: npm run relay -- sign-in`;
}

function describePostgres(
  { givenDatabaseUrl, postgresFolder, plan }: RunningServers,
  shorten: (path: string) => string,
): string {
  const embedded = postgresFolder === null ? "" : shorten(postgresFolder);
  if (givenDatabaseUrl === null) return embedded;
  const given = `DATABASE_URL, ${withoutCredentials(givenDatabaseUrl)}`;
  return plan.needsBroker ? `${given}; ${embedded} only for the messages of QStash on this machine` : given;
}

/** Its query may hold a password as well. */
function withoutCredentials(databaseUrl: string): string {
  if (!URL.canParse(databaseUrl)) return "over a socket";
  const { host, pathname } = new URL(databaseUrl);
  return `${host}${pathname}`;
}
