import { randomUUID } from "node:crypto";
import { join, relative } from "node:path";

import { createSignInLink } from "#dashboard/access/ops-session.ts";
import { systemClock } from "#platform/clock.ts";
import { queueNames } from "#platform/queue-name.ts";
import { queueCapabilities } from "#queue/capabilities.ts";

import type { ServerMode } from "#local/next-server.ts";
import type { Settings } from "#local/settings.ts";
import type { RunningServers } from "#local/start-servers.ts";
import { parseUrl } from "#platform/parse-url.ts";

import { quoteForShell } from "./quote-for-shell.ts";
import { alignRows, type Paint, seconds } from "./terminal.ts";

export interface BannerOptions {
  root: string;
  mode?: ServerMode;
  paint: Paint;
  tookMs: number;
  /** Whether the text goes to a terminal. The sign-in link does not go into a pipe or file: everyone who has it is let in. */
  isTerminal: boolean;
}

/** What `npm start` and `npm run dev` print once everything runs: the addresses and files, a first command, and how to stop. */
export async function describeRunning(running: RunningServers, options: BannerOptions): Promise<string> {
  const { paint, tookMs } = options;
  const { plan, settings } = running;
  const link = (url: string) => paint("cyan", url);
  const shorten = (path: string) => shortenIn(options.root, path);
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
    plan.needsTimers
      ? ["Queue", titleOf(plan.queueName)]
      : ["QStash", `${link(running.qstashUrl)} ${paint("dim", plan.needsBroker ? "on this machine" : "at Upstash")}`],
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
    `  Send a first delivery with ${paint("bold", commandOf(settings, options, "trigger message"))} in another terminal.`,
    ...(options.mode === "development" ? ["  What you save in src and app takes effect with the next request."] : []),
    "  Ctrl-C stops everything once the work under way is done; a second Ctrl-C stops it at once.",
    "",
  ].join("\n");
}

function shortenIn(root: string, path: string): string {
  return relative(root, path).startsWith("..") ? path : relative(root, path);
}

/** A command finds this start by its data folder. */
function commandOf({ dataDir }: Settings, { root }: BannerOptions, words: string): string {
  const command = `npm run relay -- ${words}`;
  return dataDir === join(root, ".data") ? command : `DATA_DIR=${wordOf(shortenIn(root, dataDir))} ${command}`;
}

function wordOf(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : quoteForShell(path);
}

function titleOf(name: string): string {
  const queue = queueNames.find((known) => known === name);
  return queue === undefined ? name : queueCapabilities[queue].title;
}

async function describeDashboard(
  { plan, settings, opsToken }: RunningServers,
  options: BannerOptions,
): Promise<string> {
  const { paint, isTerminal } = options;
  const { baseUrl } = plan;
  if (isTerminal) {
    const link = { baseUrl, opsToken, nowMs: systemClock.nowMs(), id: randomUUID() };
    return `${paint("cyan", await createSignInLink(link))} ${paint("dim", "works once")}`;
  }
  return `${paint("cyan", `${baseUrl}/dashboard`)}, for a link that signs you in: ${commandOf(settings, options, "sign-in")}`;
}

function describePostgres(
  { givenDatabaseUrl, postgresFolder, plan }: RunningServers,
  shorten: (path: string) => string,
): string {
  const embedded = postgresFolder === null ? "" : shorten(postgresFolder);
  if (givenDatabaseUrl === null) return embedded;
  const given = `DATABASE_URL, ${withoutCredentials(givenDatabaseUrl)}`;
  return plan.needsBroker ? `${given}; ${embedded} only for QStash on this machine` : given;
}

/** Host and database only: user, password and query may hold secrets. */
function withoutCredentials(databaseUrl: string): string {
  const url = parseUrl(databaseUrl);
  return url === null ? "over a socket" : `${url.host}${url.pathname}`;
}
