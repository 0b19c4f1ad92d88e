import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import type { Command } from "commander";

import type { Check } from "#diagnostics/check.ts";
import { systemClock } from "#platform/clock.ts";

import { addHelpNote } from "../add-help-note.ts";
import type { CommandContext } from "../command-context.ts";
import { askRelay, type Diagnoses } from "../doctor/ask-relay.ts";
import { showChecks } from "../doctor/show-checks.ts";
import { queueCapabilities } from "#queue/capabilities.ts";
import { CliFailure } from "#platform/failure.ts";
import { type LocalEnvironment, localEnvironment } from "#local/local-environment.ts";
import { readRunning } from "#local/running-file.ts";
import { readSecrets } from "#local/secrets.ts";
import { readSettings, valueOf } from "#local/settings.ts";
import { parseUrl } from "#platform/parse-url.ts";

interface Options {
  url?: string;
  deployed?: string;
  json?: boolean;
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const exitLimitMs = 500;

/** Adds `relay doctor`, which fails if a check fails; warnings do not count. */
export function addDoctor(program: Command, context: CommandContext): void {
  const command = program
    .command("doctor")
    .description("check the configuration, the queue and every address, from this machine and on the running relay")
    .option("--url <url>", "the relay's base URL")
    .option("--deployed <url>", "tick off the checklist of docs/DEPLOY.md against the relay at this address instead")
    .option("--json", "print JSON")
    .action(async ({ url, deployed, json }: Options) => {
      requireAddress("--url", url);
      requireAddress("--deployed", deployed);
      // Loaded here, as below, because every other command would be slower.
      if (deployed !== undefined)
        return (await import("../doctor/deployed/run-checklist.ts")).runChecklist(deployed, json === true, context);
      const baseUrl = url?.replace(/\/+$/, "") ?? context.baseUrl();
      const local = readLocalEnvironment();
      // With the SDK and the driver.
      const { examineHere } = await import("../doctor/examine-here.ts");
      const here = await examineHere(local.env, (doing) => context.showProgress(`From this machine: ${doing} …`));
      const relay = await examineRelay(baseUrl, local, context);
      context.showProgress("");
      leaveSoon();
      const answered = "env" in relay;
      const groupsHere = groupsOf(here);
      const groupsThere: Group[] = answered ? groupsOf(relay) : [["Relay", [relay]]];
      const checks = [...groupsHere, ...groupsThere].flatMap(([, group]) => group);
      const failures = checks.filter(({ status }) => status === "failed").length;
      if (json) {
        context.print(
          JSON.stringify({ ok: failures === 0, here: toJson(here), relay: answered ? toJson(relay) : null }, null, 2),
        );
        if (!answered) context.note(showChecks(`On the relay at ${baseUrl}`, [relay], context.paintError));
      } else {
        printPlace(`From this machine${describeSource(local)}`, groupsHere, context);
        printPlace(`On the relay at ${baseUrl}`, groupsThere, context);
      }
      if (failures > 0) throw new CliFailure(`${failures} ${failures === 1 ? "check" : "checks"} failed.`);
    });
  addHelpNote(
    command,
    "With QStash it publishes two messages that only ask the relay for its health. Warnings do not make it fail.",
  );
}

function requireAddress(option: string, url: string | undefined): void {
  if (url === undefined) return;
  const parsed = /^https?:\/\//.test(url) ? parseUrl(url) : null;
  if (parsed === null) throw new CliFailure(`${option} must begin with http:// or https://, not "${url}".`);
  const { username, password, search, hash } = parsed;
  if (username + password + search + hash !== "")
    throw new CliFailure(`${option} must be an address without credentials, "?" and "#".`);
}

function readLocalEnvironment(): LocalEnvironment {
  const settings = readSettings(process.env, root);
  const { dataDir } = settings;
  return localEnvironment(process.env, { settings, secrets: readSecrets(dataDir), running: readRunning(dataDir) });
}

async function examineRelay(
  baseUrl: string,
  { env }: LocalEnvironment,
  context: CommandContext,
): Promise<Diagnoses | Check> {
  const opsToken = valueOf(env, "OPS_TOKEN");
  if (opsToken === undefined) {
    const cause = "The relay answers only with its OPS_TOKEN.";
    return {
      name: "OPS_TOKEN",
      status: "failed",
      detail: "not set",
      cause,
      remedy: "Set OPS_TOKEN to the token of the relay.",
    };
  }
  return askRelay({
    baseUrl,
    opsToken,
    bypassSecret: valueOf(env, "VERCEL_AUTOMATION_BYPASS_SECRET") ?? null,
    fetch,
    clock: systemClock,
    onProgress: (doing) => context.showProgress(`On the relay: ${doing} …`),
  });
}

/** Ends the process soon: a request of the SDK cannot be aborted, and one without an answer would keep the process alive. */
function leaveSoon(): void {
  setTimeout(() => process.exit(), exitLimitMs).unref();
}

type Group = readonly [title: string, checks: readonly Check[]];

/** Each diagnosis by its name, the queue's by that of the queue. */
function toJson({ env, queue, network }: Diagnoses): Record<string, unknown> {
  return { env, [env.queue]: queue, network };
}

function groupsOf({ env, queue, network }: Diagnoses): Group[] {
  return [
    ["Environment", env.checks],
    [queueCapabilities[env.queue].title, queue.checks],
    ["Network", network.checks],
  ];
}

function describeSource({ fromStart, startRuns }: LocalEnvironment): string {
  if (fromStart.length === 0) return "";
  const running = startRuns ? "" : ", which is not running";
  return ` (with ${fromStart.length} variables of npm start on this machine${running})`;
}

function printPlace(place: string, groups: readonly Group[], { print, paint }: CommandContext): void {
  print(`${paint("bold", place)}\n`);
  for (const [title, checks] of groups) print(`${showChecks(title, checks, paint)}\n`);
}
