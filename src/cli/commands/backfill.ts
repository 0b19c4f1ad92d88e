import type { Command } from "commander";

import type { BackfillPage } from "#dashboard/repair/read-backfills.ts";
import { backfillKinds } from "#operations/backfill/backfill-request.ts";
import type { DescribedBackfill } from "#operations/backfill/describe-backfill.ts";
import { notGivenBack } from "#operations/backfill/not-given-back.ts";
import { systemClock } from "#platform/clock.ts";
import { CliFailure } from "#platform/failure.ts";
import { pauseFor } from "#local/pause-for.ts";

import { addHelpNote } from "../add-help-note.ts";
import { askToStart } from "../ask-to-start.ts";
import type { CommandContext } from "../command-context.ts";
import { timeOption } from "../list-options.ts";
import { askOps, readOps, RelayRefusal } from "../read-ops.ts";
import { backfillHead, backfillRow, showBackfill, showBackfillPlan, showBackfillProgress } from "../show-backfill.ts";
import { drawTable } from "../table.ts";

interface Options {
  from?: string;
  until?: string;
  account?: string;
  kind?: string;
  reason: string;
  plan?: boolean;
  yes?: boolean;
  status?: string | true;
  cancel?: string;
  resume?: string;
  json?: boolean;
}

const pollMs = 1_000;
/** To plan and to start, the relay asks Instagram three times at most after its own limits, for 10 s each. */
const limitMs = 45_000;
const note = `It needs INSTAGRAM_ACCESS_TOKEN where the relay runs. Instagram's API does not give back everything: ${notGivenBack.join(" ")} docs/OPERATIONS.md says more.`;

/** Adds `relay backfill`, which fails unless the backfill was read to its end. */
export function addBackfill(program: Command, context: CommandContext): void {
  const command = program
    .command("backfill")
    .description(
      "read from Instagram's API what happened while webhooks were lost, and ingest what is missing: plans, asks, and shows the progress",
    )
    .addOption(timeOption("--from <time>", "since when webhooks were lost: 2026-01-31T12:00:00Z, or 12h"))
    .addOption(timeOption("--until <time>", "until when; now unless given"))
    .option("--account <ids>", "only these accounts, separated by commas; all that have a token unless given")
    .option("--kind <kinds>", `only these kinds, separated by commas: ${backfillKinds.join(", ")}`)
    .option("--reason <text>", "what it is for", "relay backfill")
    .option("--plan", "only plan: --resume starts it later")
    .option("--yes", "start without asking")
    .option("--status [id]", "show a backfill, or the newest ones")
    .option("--cancel <id>", "cancel a backfill; what is stored stays")
    .option("--resume <id>", "start a planned or a stopped backfill, and watch it; or watch one that runs")
    .option("--json", "print the server's JSON")
    .action((options: Options) => run(options, context));
  addHelpNote(command, note);
}

async function run(options: Options, context: CommandContext): Promise<void> {
  const { status, cancel, resume, from } = options;
  const actions = [status, cancel, resume, from].filter((one) => one !== undefined);
  if (actions.length !== 1) {
    throw new CliFailure("Since when? Add --from, for example --from 12h; or one of --status, --cancel and --resume.");
  }
  if (status === true) return list(options, context);
  if (status !== undefined) return print(await readOps(context, pathOf(status)), options, context);
  if (cancel !== undefined) return print(await askOps(context, "POST", `${pathOf(cancel)}/cancel`), options, context);
  if (resume !== undefined) return start(resume, options, context);
  return plan(options, context);
}

async function list({ json }: Options, context: CommandContext): Promise<void> {
  const page = await readOps<BackfillPage>(context, "backfills");
  if (json) return context.print(JSON.stringify(page, null, 2));
  if (page.backfills.length === 0) return context.note("No backfills.");
  context.print(drawTable(backfillHead, page.backfills.map(backfillRow), context.paint, context));
}

async function plan(options: Options, context: CommandContext): Promise<void> {
  const { from, until, account, kind, reason, json } = options;
  const listOf = (text: string | undefined) => text?.split(",").map((part) => part.trim());
  const body = { from, until, accounts: listOf(account), kinds: listOf(kind), reason };
  const planned = await askOps<DescribedBackfill>(context, "POST", "backfills", { body, limitMs });
  if (!json) context.print(showBackfillPlan(planned, context));
  const { found, known, isComplete } = planned.plan;
  const isNothing = isComplete && found === known;
  if (options.plan || isNothing) {
    if (json) context.print(JSON.stringify(planned, null, 2));
    else
      context.note(isNothing ? "Nothing is missing." : `npm run relay -- backfill --resume ${planned.id} starts it.`);
    return;
  }
  if (!options.yes && !(await askToStart(context))) {
    throw new CliFailure("Nothing was started: add --yes to start without being asked.");
  }
  await start(planned.id, options, context);
}

async function start(id: string, options: Options, context: CommandContext): Promise<void> {
  const { state } = await readOps<DescribedBackfill>(context, pathOf(id));
  const isUnderWay = state === "running" || state === "waiting";
  if (!isUnderWay) await askOps(context, "POST", `${pathOf(id)}/start`, { limitMs });
  const ended = await follow(id, context);
  print(ended, options, context);
  if (context.signal.aborted) {
    return context.note(`The backfill goes on at the relay: relay backfill --cancel ${id} ends it.`);
  }
  if (ended.state === "finished") return;
  const advice = ended.state === "stopped" ? ` relay backfill --resume ${id} goes on where it stopped.` : "";
  throw new CliFailure(`The backfill is ${ended.state}: ${ended.stoppedBecause ?? "without a reason"}.${advice}`);
}

/** Watches until it ends or Ctrl-C, and advances one that nothing else advances. */
async function follow(id: string, context: CommandContext): Promise<DescribedBackfill> {
  for (;;) {
    // Without the signal: after Ctrl-C it reads once more how far the backfill is.
    const backfill = await readOps<DescribedBackfill>({ ...context, signal: new AbortController().signal }, pathOf(id));
    const hasEnded = /finished|cancelled|stopped/.test(backfill.state);
    if (hasEnded || context.signal.aborted) {
      context.showProgress("");
      return backfill;
    }
    if (backfill.state === "stalled") await advance(id, context);
    context.showProgress(showBackfillProgress(backfill));
    await pauseFor(systemClock, pollMs, context.signal);
  }
}

/** Something else may have advanced it since. */
async function advance(id: string, context: CommandContext): Promise<void> {
  try {
    await askOps(context, "POST", `${pathOf(id)}/start`, { limitMs });
  } catch (thrown) {
    if (!(thrown instanceof RelayRefusal) || thrown.code !== "CONFLICT") throw thrown;
  }
}

function print(backfill: DescribedBackfill, { json }: Options, context: CommandContext): void {
  context.print(json ? JSON.stringify(backfill, null, 2) : showBackfill(backfill, context));
}

function pathOf(id: string): string {
  return `backfills/${encodeURIComponent(id)}`;
}
