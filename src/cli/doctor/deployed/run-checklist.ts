import { readFileSync } from "node:fs";

import { systemClock } from "#platform/clock.ts";
import { CliFailure } from "#platform/failure.ts";

import type { CommandContext } from "../../command-context.ts";
import { showChecks } from "../show-checks.ts";
import { examineDeployed } from "./examine-deployed.ts";

/** Prints the checklist for the relay at `url`, ticked off. Throws a `CliFailure` if a check failed; warnings do not count. */
export async function runChecklist(url: string, json: boolean, context: CommandContext): Promise<void> {
  const baseUrl = url.replace(/\/+$/, "");
  const groups = await examineDeployed({
    baseUrl,
    ...secretsOf(baseUrl, context),
    bypassSecret: context.variable("VERCEL_AUTOMATION_BYPASS_SECRET") ?? null,
    version: ownVersion(),
    fetch,
    clock: systemClock,
    signal: context.signal,
    onProgress: (doing) => context.showProgress(`Checking ${doing} …`),
  });
  context.showProgress("");
  const checks = groups.flatMap((group) => group.checks);
  const count = (status: string) => checks.filter((check) => check.status === status).length;
  const failures = count("failed");
  if (json) context.print(JSON.stringify({ ok: failures === 0, url: baseUrl, groups }, null, 2));
  else {
    for (const group of groups) context.print(`${showChecks(group.title, group.checks, context.paint)}\n`);
    const rest = [
      `${count("warning")} ${count("warning") === 1 ? "warning" : "warnings"}`,
      `${count("skipped")} not tried`,
    ].join(", ");
    context.print(`${count("ok")} of ${checks.length} ticked off; ${rest}.`);
  }
  if (failures > 0) throw new CliFailure(`${failures} ${failures === 1 ? "check" : "checks"} failed.`);
}

/** Of the environment. The secrets of `npm start` are those of the relay on this machine alone. */
function secretsOf(baseUrl: string, context: CommandContext) {
  const isHere = new URL(baseUrl).origin === new URL(context.localUrl()).origin;
  const read = (name: "OPS_TOKEN" | "INSTAGRAM_VERIFY_TOKEN" | "RELAY_SECRET") => {
    if (!isHere) return context.variable(name) ?? null;
    try {
      return context.secret(name);
    } catch {
      return null;
    }
  };
  const [url, token] = [context.variable("QSTASH_URL"), context.variable("QSTASH_TOKEN")];
  return {
    opsToken: read("OPS_TOKEN"),
    verifyToken: read("INSTAGRAM_VERIFY_TOKEN"),
    // The first of a list signs.
    relaySecret: read("RELAY_SECRET")?.split(",")[0]?.trim() ?? null,
    qstash: url === undefined || token === undefined ? null : { url, token },
  };
}

function ownVersion(): string {
  const file = new URL("../../../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
