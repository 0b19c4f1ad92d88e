/** What `npm start` prints once everything runs: where to look, what to try, how to stop. */
import { randomUUID } from "node:crypto";
import { join, relative } from "node:path";

import { createSignInLink } from "#dashboard/ops-session.ts";
import { systemClock } from "#platform/clock.ts";

import type { RunningServers } from "./start-servers.ts";
import { alignRows, type Paint, seconds } from "./terminal.ts";

export interface BannerOptions {
  root: string;
  paint: Paint;
  tookMs: number;
}

export async function describeRunning(
  running: RunningServers,
  { root, paint, tookMs }: BannerOptions,
): Promise<string> {
  const { plan, settings } = running;
  const link = (url: string) => paint("cyan", url);
  const shorten = (path: string) => (relative(root, path).startsWith("..") ? path : relative(root, path));
  const file = (name: string) => shorten(join(settings.dataDir, name));
  const signIn = await createSignInLink({
    baseUrl: plan.baseUrl,
    opsToken: running.opsToken,
    nowMs: systemClock.nowMs(),
    id: randomUUID(),
  });
  const webhook = `${plan.baseUrl}/api/webhooks/instagram`;
  const logs = [
    "server.log",
    ...(plan.needsBroker ? ["broker.log"] : []),
    ...(plan.needsPostgres ? ["postgres.log"] : []),
  ];
  const rows: [string, string][] = [
    ["Dashboard", link(signIn)],
    ["Webhook, edge", link(webhook)],
    ["Webhook, Node", link(`${webhook}/node`)],
    ["QStash", `${link(running.qstashUrl)} ${paint("dim", plan.needsBroker ? "on this machine" : "the real one")}`],
    ["Postgres", running.postgresFolder === null ? "DATABASE_URL" : shorten(running.postgresFolder)],
    ["Logs", logs.map(file).join(", ")],
    ["Secrets", file("secrets.json")],
  ];
  const warnings =
    running.missing.length > 0
      ? [paint("yellow", `  QStash will not work: ${running.missing.join(", ")} not set.`), ""]
      : [];
  return [
    "",
    `${paint("bold", "Instagram Webhook Relay is running")} ${paint("dim", `after ${seconds(tookMs)}`)}`,
    "",
    alignRows(rows, paint),
    "",
    ...warnings,
    `  Send a first delivery with ${paint("bold", "npm run relay -- trigger message")} in another terminal.`,
    "  Ctrl-C stops it, after what is under way; a second Ctrl-C does not wait.",
    "",
  ].join("\n");
}
