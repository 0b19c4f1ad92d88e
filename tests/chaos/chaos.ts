/**
 * `npm run chaos`: the built server and the embedded QStash under faults, and an account of every delivery.
 *
 * How it stays honest:
 * - The product runs as it is built and with its own settings, but with handlers that note when they begin and end (see
 *   handlers/). The faults are made by proxies on the ways between Meta,
 *   server, QStash and Postgres, and by signals to the server's process; QStash's waits between deliveries are its own.
 * - Deliveries are sent in an open loop, to both routes in turns. What is not acknowledged is sent again, first after two
 *   seconds and then ever more rarely; Meta is more patient. The fault begins after a fifth of them and ends by itself.
 * - Only acknowledged deliveries count, and only rows: at the end, when no forward runs, QStash holds no message and
 *   every handler has finished, each event is looked up in the database by its key. Duplicates are rows, and runs of
 *   handlers by the handlers' own count.
 * - What a fault did is shown by the server's log and the proxies; a fault that nobody noticed shows.
 */
import { parseArgs } from "node:util";

import { CliFailure } from "#platform/failure.ts";
import { createPaint, seconds } from "#cli/terminal.ts";
import { systemClock } from "#platform/clock.ts";

import { atExit } from "../support/at-exit.ts";
import { setUpPostgres } from "../support/global-setup.ts";

import { hasRedisServer } from "../queue/redis/redis-server.ts";
import { buildWithControlledHandlers } from "./controlled-handlers.ts";
import { describeResults } from "./describe-results.ts";
import type { ChaosQueue } from "./own-queue.ts";
import { openRig } from "./rig.ts";
import { runScenario, type RunOptions, type ScenarioResult } from "./run-scenario.ts";
import type { Scenario } from "./scenario.ts";
import { pulledScenarios } from "./pulled-scenarios.ts";
import { scenarios, scenariosOf } from "./scenarios.ts";

const usage = `Usage: npm run chaos [-- --deliveries <n>] [--rate <n>] [--only <fault>,…] [--queue postgres|redis|sqs] [--seed <n>] [--json]

  --deliveries <n>   for each fault (2000)
  --rate <n>         deliveries a second (50)
  --only <fault>,…   not all of them
  --queue <name>     with the queue in Postgres, Redis or an emulator of SQS in the place of QStash
  --seed <n>         of how many events each delivery brings (1)
  --json             everything as JSON

Faults:
${scenarios.map(({ name, title }) => `  ${name.padEnd(18)} ${title}`).join("\n")}

Further ones with --queue postgres, redis or sqs, which have neither QStash's nor those of replays:
${[...new Set(Object.values(pulledScenarios).flat())].map(({ name, title }) => `  ${name.padEnd(18)} ${title}`).join("\n")}

Exit status 1 if a fault has not the outcome that is required of it.`;

const warmUp: Scenario = { name: "warm-up", title: "", requirement: "all", disturb: () => Promise.resolve() };
const retryDelayMs = 2_000;
/** However few the deliveries are, the server has to come to its fallback meanwhile. */
const faultMsMin = 2_000;
/** More than QStash's wait after a second failure. */
const restLimitMs = 200_000;

export async function run(args: string[]): Promise<void> {
  const options = readOptions(args);
  if (options.help) return print(usage);
  const note = createNotes(process.stderr);
  const paint = createPaint(process.env, process.stdout);
  const startedMs = systemClock.monotonicMs();
  const results: ScenarioResult[] = [];
  const report = () => {
    if (results.length === 0) return;
    const tookMs = systemClock.monotonicMs() - startedMs;
    print(options.json ? JSON.stringify({ tookMs, results }, null, 2) : describeResults(results, tookMs, paint));
  };
  // Also where a signal ends the run.
  const cancelReport = atExit(report);

  let postgresUrl = "";
  const provide = (name: string, value: unknown) => {
    if (name === "postgresUrl") postgresUrl = String(value);
  };
  const tearDownPostgres = await setUpPostgres({ provide });
  try {
    const folder = await buildWithControlledHandlers(note.lasting, options.queue);
    for (const [index, scenario] of options.scenarios.entries()) {
      const head = `${index + 1}/${options.scenarios.length} ${scenario.name}`;
      const onProgress = (text: string) => note.passing(`${head}: ${text}`);
      onProgress("starting");
      const result = await runAlone(
        scenario,
        { postgresUrl, folder, queue: options.queue },
        { ...options, onProgress },
      );
      results.push(result);
      note.lasting(`${head}: ${result.failures.join(", ") || "as required"}, ${seconds(result.tookMs)}`);
    }
  } finally {
    await tearDownPostgres();
  }

  cancelReport();
  report();
  if (results.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
}

interface Places {
  postgresUrl: string;
  /** Of the product that was built with controlled handlers. */
  folder: string;
  queue: ChaosQueue;
}

/** With servers and databases of its own, and not before these are warm. */
async function runAlone(
  scenario: Scenario,
  { postgresUrl, folder, queue }: Places,
  options: RunOptions,
): Promise<ScenarioResult> {
  const rig = await openRig({
    postgresUrl,
    queue,
    env: scenario.env ?? {},
    hasOwnPostgres: scenario.hasOwnPostgres ?? false,
    hasPooler: scenario.hasPooler ?? false,
    folder,
  });
  try {
    await runScenario(warmUp, rig, { ...options, deliveries: 20, rate: 20 });
    return await runScenario(scenario, rig, options);
  } finally {
    await rig.stop();
  }
}

interface Notes {
  /** Takes the place of the last passing note, if that is still there. */
  passing(text: string): void;
  lasting(text: string): void;
}

/** Not every note is worth a line where lines stay. */
const passingEveryMs = { terminal: 100, file: 10_000 };

function createNotes(stream: NodeJS.WriteStream): Notes {
  const everyMs = stream.isTTY ? passingEveryMs.terminal : passingEveryMs.file;
  const [before, after] = stream.isTTY ? ["\r\u001b[2K", ""] : ["", "\n"];
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    passing(text) {
      const nowMs = systemClock.monotonicMs();
      if (nowMs - lastMs < everyMs) return;
      lastMs = nowMs;
      stream.write(`${before}${text}${after}`);
    },
    lasting(text) {
      stream.write(`${before}${text}\n`);
    },
  };
}

function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      deliveries: { type: "string", default: "2000" },
      rate: { type: "string", default: "50" },
      only: { type: "string" },
      queue: { type: "string", default: "qstash" },
      seed: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const queue = readQueue(values.queue);
  const known = scenariosOf(queue);
  return {
    queue,
    deliveries: positive("--deliveries", values.deliveries),
    rate: positive("--rate", values.rate),
    seed: positive("--seed", values.seed),
    scenarios: values.only === undefined ? known : values.only.split(",").map((name) => findScenario(known, name)),
    json: values.json,
    help: values.help,
    retryDelayMs,
    faultMsMin,
    restLimitMs,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new CliFailure(`${name} takes a whole number above 0.`);
}

function readQueue(text: string): ChaosQueue {
  if (text === "redis" && !hasRedisServer) throw new CliFailure("--queue redis needs Debian's redis-server.");
  if (text === "qstash" || text === "postgres" || text === "redis" || text === "sqs") return text;
  throw new CliFailure("--queue takes qstash, postgres, redis or sqs.");
}

function findScenario(known: readonly Scenario[], name: string): Scenario {
  const found = known.find((scenario) => scenario.name === name);
  if (found === undefined) throw new CliFailure(`There is no fault "${name}".\n\n${usage}`);
  return found;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
