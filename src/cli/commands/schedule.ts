import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { Argument, type Command } from "commander";

import { localEnvironment } from "#local/local-environment.ts";
import { readRunning } from "#local/running-file.ts";
import { readSecrets } from "#local/secrets.ts";
import { readSettings, valueOf } from "#local/settings.ts";
import { ensureSchedule, type MaintenanceSchedule, readSchedule } from "#operations/maintenance-schedule.ts";
import { systemClock } from "#platform/clock.ts";
import { type EnvRecord, readEnv } from "#platform/env.ts";
import { RelayError } from "#platform/errors.ts";
import { CliFailure } from "#platform/failure.ts";
import { readQueue } from "#diagnostics/diagnose-env.ts";
import { queueCapabilities } from "#queue/capabilities.ts";
import { createQstashApi } from "#platform/qstash-api.ts";

import type { CommandContext } from "../command-context.ts";
import { showCell } from "../table.ts";
import { alignRows } from "../terminal.ts";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const timeoutMs = 8_000;

/** Adds `relay schedule`, which fails unless the schedule is there and calls this relay. */
export function addSchedule(program: Command, context: CommandContext): void {
  program
    .command("schedule")
    .addArgument(new Argument("[action]", "what to do").choices(["show", "create", "check"]).default("show"))
    .description("show, make or check the schedule by which QStash calls maintenance every five minutes")
    .option("--json", "print JSON")
    .action(async (action: "show" | "create" | "check", { json }: { json?: boolean }) => {
      const { api, options } = open();
      const done = action === "create" ? await orFail(() => ensureSchedule(api, options)) : null;
      const schedule = await orFail(() => readSchedule(api, options));
      if (json) context.print(JSON.stringify({ done, schedule }, null, 2));
      else print(schedule, done, context);
      if (schedule === null) throw new CliFailure("QStash has no schedule: npm run relay -- schedule create makes it.");
      if (schedule.problems.length === 0) return;
      throw new CliFailure(`${schedule.problems.join("; ")}: npm run relay -- schedule create corrects it.`);
    });
}

/** QStash as the relay uses it: of the environment, else of npm start on this machine. */
function open() {
  const settings = readSettings(process.env, root);
  const { dataDir } = settings;
  const { env } = localEnvironment(process.env, {
    settings,
    secrets: readSecrets(dataDir),
    running: readRunning(dataDir),
  });
  requireSchedule(env);
  try {
    const read = readEnv(env, ["QSTASH_URL", "QSTASH_TOKEN", "RELAY_URL", "VERCEL_AUTOMATION_BYPASS_SECRET"]);
    const { QSTASH_URL: url, QSTASH_TOKEN: token } = read;
    const options = { relayUrl: read.RELAY_URL[0], bypassSecret: read.VERCEL_AUTOMATION_BYPASS_SECRET };
    return { api: createQstashApi({ url, token, timeoutMs, fetch, clock: systemClock }), options };
  } catch (thrown) {
    throw thrown instanceof RelayError ? new CliFailure(`${thrown.message}.`) : thrown;
  }
}

/** QStash's schedule may serve another queue too, where its token is set. */
function requireSchedule(env: EnvRecord): void {
  const { title, schedule } = queueCapabilities[readQueue(env)];
  if (schedule || valueOf(env, "QSTASH_TOKEN") !== undefined) return;
  throw new CliFailure(
    `${title} has no schedule: have a cron call /api/cron/maintenance every five minutes with CRON_SECRET as the bearer token, or set QSTASH_TOKEN.`,
  );
}

async function orFail<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw thrown instanceof RelayError ? new CliFailure(`${thrown.message}.`) : thrown;
  }
}

function print(
  schedule: MaintenanceSchedule | null,
  done: string | null,
  { print: write, paint, zone, note }: CommandContext,
) {
  if (done !== null) note(`The schedule is ${done}.`);
  if (schedule === null) return;
  const { problems: _, ...facts } = schedule;
  write(
    alignRows(
      Object.entries(facts).map(([name, value]) => [name, showCell(value, zone)] as const),
      paint,
    ),
  );
}
