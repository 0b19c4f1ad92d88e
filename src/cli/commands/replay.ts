import { Argument, type Command } from "commander";

import type { DescribedReplay } from "#operations/describe-replay.ts";
import { systemClock } from "#platform/clock.ts";
import { CliFailure } from "#platform/failure.ts";

import { eventKinds } from "#instagram/events.ts";
import { replayStates } from "#store/replays/replay-filter.ts";
import { pauseFor } from "#local/pause-for.ts";

import { linkTo, printList } from "../add-list-command.ts";
import { askToStart } from "../ask-to-start.ts";
import type { CommandContext } from "../command-context.ts";
import { choice, timeOption } from "../list-options.ts";
import { askOps, readOps } from "../read-ops.ts";
import { replayHead, replayRow, showPlan, showReplay } from "../show-replay.ts";
import { alignRows } from "../terminal.ts";

interface Options {
  ids?: string;
  kind?: string;
  account?: string;
  sender?: string;
  state?: string;
  error?: string;
  group?: string;
  delivery?: string;
  from?: string;
  to?: string;
  unknown?: boolean;
  again?: boolean;
  confirm?: string;
  yes?: boolean;
  rate?: string;
  reason: string;
  json?: boolean;
}

const pollMs = 1_000;

/** Adds `relay replay`, which fails unless every event of the replay was handled. */
export function addReplay(program: Command, context: CommandContext): void {
  program
    .command("replay")
    .addArgument(new Argument("[action]", "of the replays there are").choices(["list", "show", "cancel"]))
    .argument("[id]", "of the replay to show or to cancel")
    .description(
      "run the handlers of events again that were not handled, or of all: plans, asks, and shows the progress",
    )
    .addOption(choice("--kind <kind>", "only this kind", eventKinds))
    .option("--error <name>", "only events whose handler failed with this error's name or code")
    .option("--group <id>", "only this group of dead letters, with its batches that were never ingested")
    .addOption(choice("--state <state>", "only events of this state", replayStates))
    .option("--account <id>", "only this Instagram account")
    .option("--sender <id>", "only this sender")
    .option("--delivery <id>", "only what this delivery carried")
    .option("--ids <ids>", "only these events, separated by commas")
    .addOption(timeOption("--from <time>", "only events ingested at this time or later: 2026-01-31T12:00:00Z, or 2h"))
    .addOption(timeOption("--to <time>", "only events ingested before this time"))
    .option("--unknown", "only events of unknown kind that this release knows: they are classified again")
    .option("--again", "handled events too; needs --confirm with their number")
    .option("--confirm <count>", "the number of events that the plan shows")
    .option("--rate <n>", "events per minute")
    .option("--reason <text>", "what it is for; handlers see it", "relay replay")
    .option("--yes", "start without asking")
    .option("--json", "print the server's JSON")
    .action(async (action: string | undefined, id: string | undefined, options: Options) => {
      if (action === undefined) return plan(options, context);
      const unused = Object.keys(options).find((name) => name !== "json" && name !== "reason");
      if (unused !== undefined) throw new CliFailure(`--${unused} is for a new replay, not for ${action}.`);
      if (action === "list") return list(options, context);
      if (id === undefined) throw new CliFailure(`relay replay ${action} needs the id of a replay.`);
      const path = `replays/${encodeURIComponent(id)}`;
      const replay = await (action === "cancel"
        ? askOps<DescribedReplay>(context, "POST", `${path}/cancel`)
        : readOps<DescribedReplay>(context, path));
      printReplay(replay, options, context);
    });
}

async function list({ json }: Options, context: CommandContext): Promise<void> {
  const items = ({ replays }: { replays: DescribedReplay[]; nextCursor?: null }): DescribedReplay[] => replays;
  return printList(
    context,
    { path: "replays", items, empty: "No replays.", head: replayHead, row: replayRow },
    {},
    json,
  );
}

async function plan(options: Options, context: CommandContext): Promise<void> {
  const filter = filterOf(options);
  if (Object.values(filter).every((condition) => condition === undefined)) {
    throw new CliFailure(
      "Which events? Name an --error, a --group, a --kind or another condition; --from 24h is all of a day.",
    );
  }
  const body = {
    filter,
    mode: options.again ? "again" : "unfinished",
    reason: options.reason,
    ...(options.rate === undefined ? {} : { ratePerMinute: numberOf("--rate", options.rate) }),
  };
  const planned = await askOps<DescribedReplay>(context, "POST", "replays", { body });
  if (!options.json) context.print(showPlan(planned, context));
  if (planned.count + planned.batches === 0) {
    if (options.json) context.print(JSON.stringify(planned, null, 2));
    const left = planned.lettersWithoutBatch;
    if (left > 0) throw new CliFailure(`Nothing can be replayed: ${left} dead letters cannot be taken.`);
    if (!options.json) context.note("Nothing is to be replayed.");
    return;
  }
  const confirmCount = options.confirm === undefined ? {} : { confirmCount: numberOf("--confirm", options.confirm) };
  if (options.again && options.confirm === undefined) {
    throw new CliFailure(`Handlers would run again: confirm it with --confirm ${planned.count}.`);
  }
  if (!options.yes && options.confirm === undefined && !(await askToStart(context))) {
    throw new CliFailure("Nothing was started: add --yes to start without being asked.");
  }
  await askOps(context, "POST", `replays/${planned.id}/start`, { body: confirmCount });
  const ended = await follow(planned.id, context);
  printReplay(ended, options, context);
  if (context.signal.aborted) {
    return context.note(`The replay goes on at the relay: relay replay cancel ${planned.id} ends it.`);
  }
  const { state, done, failed, skipped, stoppedBecause } = ended;
  if (state !== "finished") throw new CliFailure(`The replay is ${state}: ${stoppedBecause ?? "without a reason"}.`);
  if (failed + skipped === 0) return;
  // A retry may have been first. In the mode `again` the same command would run handlers again.
  const next = skipped > 0 && !options.again ? " The same command again says what is left." : "";
  throw new CliFailure(
    `${done} were handled, ${failed} failed, ${skipped} were skipped: handled elsewhere, or erased.${next}`,
  );
}

function printReplay(replay: DescribedReplay, { json }: Options, context: CommandContext): void {
  if (json) return context.print(JSON.stringify(replay, null, 2));
  const page = ["page", linkTo(context, `replays/${replay.id}`)] as const;
  context.print(`${showReplay(replay, context)}\n${alignRows([page], context.paint)}`);
}

/** Watches until it ends or Ctrl-C, and has a stalled one resumed. */
async function follow(id: string, context: CommandContext): Promise<DescribedReplay> {
  for (;;) {
    // Without the signal: after Ctrl-C it reads once more how far the replay is.
    const replay = await readOps<DescribedReplay>(
      { ...context, signal: new AbortController().signal },
      `replays/${id}`,
    );
    const { state, done, failed, pending, count, batches } = replay;
    if (state === "finished" || state === "cancelled" || context.signal.aborted) {
      context.showProgress("");
      return replay;
    }
    if (state === "stalled") await askOps(context, "POST", `replays/${id}/start`);
    context.showProgress(`${done} of ${count + batches} done, ${failed} failed, ${pending} under way`);
    await pauseFor(systemClock, pollMs, context.signal);
  }
}

function filterOf({ ids, kind, account, sender, state, error, group, delivery, from, to, unknown }: Options) {
  return {
    ids: ids?.split(",").map((id) => numberOf("--ids", id.trim())),
    kind,
    account,
    sender,
    state,
    error,
    group: group === undefined ? undefined : numberOf("--group", group),
    deliveryId: delivery,
    from,
    to,
    unknown,
  };
}

function numberOf(option: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new CliFailure(`${option} must be a whole number, not "${text}".`);
  return Number(text);
}
