import { hostname } from "node:os";

import { type Command, InvalidArgumentError } from "commander";

import type { MeasuredPair, MeasuredProbe } from "#measurements/probe.ts";
import { burstPairs, type ProbeBudget } from "#measurements/probe-budget.ts";
import { sendBurst } from "#measurements/send-burst.ts";
import type { SignedBurst } from "#operations/probing.ts";
import type { ProbeStatus } from "#operations/read-probes.ts";
import { systemClock } from "#platform/clock.ts";
import { CliFailure } from "#platform/failure.ts";
import { pauseFor } from "#local/pause-for.ts";

import type { CommandContext } from "../command-context.ts";
import { askOps, readOps } from "../read-ops.ts";
import { alignRows } from "../terminal.ts";

interface Options {
  pairs: number;
  from?: string;
  to?: string;
  pause: number;
  budget?: boolean;
  json?: boolean;
}

const emulated = "The edge is Next's emulation on this relay: these times say nothing about Vercel's edge.";

/** Adds `relay probe`, which fails unless every pair is measured and stored. */
export function addProbe(program: Command, context: CommandContext): void {
  program
    .command("probe")
    .description("measure the edge and Node from here, by pairs of probes, and store the pairs at the relay")
    .option("--pairs <n>", "the number of pairs, sent in bursts of 4", positiveInteger, 20)
    .option("--from <name>", "the name of this place, as the verdict is to call it; the host's name by default")
    .option("--to <url>", "the base URL of the relay")
    .option("--pause <seconds>", "between two bursts, on average; its length is random", seconds, 5)
    .option("--budget", "only show what the relay's own probes cost in a day, and how far its canaries came")
    .option("--json", "print JSON")
    .action(async (options: Options) => {
      const baseUrl = options.to?.replace(/\/+$/, "") ?? context.baseUrl();
      const relay = { ...context, baseUrl: () => baseUrl };
      await (options.budget === true ? showBudget(relay, options) : probe(relay, options));
    });
}

async function showBudget(context: CommandContext, { json }: Options): Promise<void> {
  const status = await readOps<ProbeStatus>(context, "probes");
  if (json === true) return context.print(JSON.stringify(status, null, 2));
  const { budget, canaries } = status;
  context.print(
    alignRows(
      [...budgetRows(budget), ["Sent today", `${status.sentToday} pairs, from ${status.vantage}`]],
      context.paint,
    ),
  );
  const arrived = canaries
    .flatMap(({ edge, nodejs }) => [edge, nodejs])
    .filter(({ endToEndMs }) => endToEndMs !== null);
  context.print(`Of ${canaries.length * 2} canaries of the last day ${arrived.length} arrived.`);
  if (status.emulated && !status.withoutEdge) context.print(emulated);
  if (status.withoutEdge)
    context.print("The webhook runs on Node: there is no edge function to compare, and no pairs are sent.");
}

function budgetRows({
  pairsPerDay,
  burstsPerDay,
  canaryPairsPerDay,
  qstashMessagesPerDay,
  invocationsPerDay,
}: ProbeBudget): [string, string][] {
  const { schedule, canaries, total } = qstashMessagesPerDay;
  const { edge, nodejs } = invocationsPerDay;
  return [
    ["Pairs a day", `${pairsPerDay} in ${burstsPerDay} bursts, ${canaryPairsPerDay} of them canaries`],
    [
      "Queue messages a day",
      `${total}: ${schedule} of the schedule, which all of maintenance shares, ${canaries} of canaries`,
    ],
    ["Invocations a day", `${edge} on the edge, ${nodejs} on Node`],
  ];
}

async function probe(
  context: CommandContext,
  { pairs: count, from = hostname(), pause, json }: Options,
): Promise<void> {
  const measured: MeasuredPair[] = [];
  let isEmulated = false;
  let failure: string | null = null;
  while (measured.length < count && failure === null && !context.signal.aborted) {
    if (measured.length > 0) await pauseFor(systemClock, Math.random() * 2 * pause * 1000, context.signal);
    const signed = await askOps<SignedBurst>(context, "POST", "probes/signed", {
      body: { pairs: Math.min(burstPairs, count - measured.length) },
    });
    ({ isEmulated } = signed);
    const burst = await sendBurst(signed.probes, {
      baseUrl: context.baseUrl(),
      bypassSecret: process.env["VERCEL_AUTOMATION_BYPASS_SECRET"] ?? null,
      burst: crypto.randomUUID(),
      idleMs: signed.idleMs,
      deadlineMs: systemClock.monotonicMs() + burstLimitMs,
      random: Math.random,
      fetch,
      clock: systemClock,
    });
    ({ failure } = burst);
    if (burst.pairs.length > 0) {
      await askOps(context, "POST", "probes", { body: { vantage: from, pairs: burst.pairs.map(toPost) } });
    }
    measured.push(...burst.pairs);
    context.showProgress(`${measured.length} of ${count} pairs`);
  }
  context.showProgress("");
  if (json === true)
    context.print(JSON.stringify({ vantage: from, emulated: isEmulated, failure, pairs: measured }, null, 2));
  else if (measured.length > 0) describe(measured, from, isEmulated, context);
  if (failure !== null) throw new CliFailure(`${measured.length} of ${count} pairs were measured: ${failure}.`);
}

/** Two probes of five seconds for each pair. */
const burstLimitMs = 45_000;

/** What the relay knows itself is left out. */
function toPost({ atMs, id, burst, first, deployment, edge, nodejs }: MeasuredPair): unknown {
  const side = ({ ms, handlerMs, region, coldStart, idleMs }: MeasuredProbe) => ({
    ms,
    handlerMs,
    region,
    coldStart,
    idleMs,
  });
  return { id, burst, at: new Date(atMs).toISOString(), first, deployment, edge: side(edge), nodejs: side(nodejs) };
}

function describe(
  pairs: readonly MeasuredPair[],
  from: string,
  isEmulated: boolean,
  { print, note, paint }: CommandContext,
): void {
  const median = (values: readonly (number | null)[]) => {
    const sorted = values.filter((value) => value !== null).toSorted((a, b) => a - b);
    const middle = sorted[Math.floor((sorted.length - 1) / 2)];
    return middle === undefined ? "–" : `${middle.toFixed(1)} ms`;
  };
  const side = (runtime: "edge" | "nodejs") => {
    const probes = pairs.map((pair) => pair[runtime]);
    const whole = median(probes.map(({ ms }) => ms));
    return `${whole} in the middle, of which the handler ${median(probes.map(({ handlerMs }) => handlerMs))}`;
  };
  print(
    alignRows(
      [
        ["Pairs", `${pairs.length}, from ${from}`],
        ["Edge", side("edge")],
        ["Node", side("nodejs")],
      ],
      paint,
    ),
  );
  note("The dashboard and /api/ops/runtimes judge them; so few medians decide nothing.");
  if (isEmulated) note(emulated);
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 1 to 9999.");
  return Number(text);
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 3_600)) throw new InvalidArgumentError("It must be a number from 0 to 3600.");
  return value;
}
