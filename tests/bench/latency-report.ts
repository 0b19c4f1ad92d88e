import type { BenchResult, BenchTable } from "./bench-section.ts";
import { type Spread, spreadOf } from "./measure.ts";
import { show, showSpread } from "./show.ts";
import type { Rounds, SliceTimes } from "./time-slices.ts";

/** How QStash answers. The last is the first seconds of the one before, when nothing has been given up yet. */
export const delayNames = ["0 ms", "300 ms", "3 s", "silent", "silent at first"] as const;
export type DelayName = (typeof delayNames)[number];
export const runtimes = ["edge", "node"] as const;
type Runtime = (typeof runtimes)[number];

/** `ack` and `race` are the edge route. */
export type LatencyContestant =
  | `ack ${DelayName}`
  | `race ${Exclude<DelayName, "silent at first">}`
  | "node relay"
  | `${Runtime} ${"least" | "empty"}`;

/** An ack must not feel QStash at all; what is allowed is the machine's unrest. */
const ackRatioMax = 1.1;
const ackP99MsMax = 250;
const leastRatioMax = 1.2;

/** What the times come to: ratios within each round, limits, tables. */
export function reportLatency(
  times: SliceTimes<LatencyContestant>,
  conditions: { rounds: number; ratePerSecond: number },
): BenchResult {
  const acks = delayNames.map((qstash) => compareAcks(qstash, times));
  const routes = runtimes.map((runtime) => compareRoutes(runtime, times));
  const figures = { ...conditions, acks, routes, senderLateP99Ms: spreadOf(times.lateP99) };
  return { figures, tables: [drawAcks(figures), drawRoutes(routes)], failures: check(figures) };
}

interface Figures {
  rounds: number;
  ratePerSecond: number;
  acks: AckFigures[];
  routes: RouteFigures[];
  senderLateP99Ms: Spread;
}

interface AckFigures {
  qstash: DelayName;
  p50Ms: Spread;
  /** To those with a QStash that answers at once. */
  ratio: Spread;
  p99Ms: Spread;
  race: { p50Ms: Spread; p99Ms: Spread } | null;
}

function compareAcks(qstash: DelayName, { of }: SliceTimes<LatencyContestant>): AckFigures {
  const ack = of[`ack ${qstash}`];
  const race = qstash === "silent at first" ? null : of[`race ${qstash}`];
  return {
    qstash,
    p50Ms: spreadOf(ack.p50),
    ratio: ratioOf(ack, of["ack 0 ms"]),
    p99Ms: spreadOf(ack.p99),
    race: race && { p50Ms: spreadOf(race.p50), p99Ms: spreadOf(race.p99) },
  };
}

interface RouteFigures {
  runtime: Runtime;
  relayP50Ms: Spread;
  leastP50Ms: Spread;
  ratio: Spread;
  emptyP50Ms: Spread;
  ratioToEmpty: Spread;
}

function compareRoutes(runtime: Runtime, { of }: SliceTimes<LatencyContestant>): RouteFigures {
  const relay = of[runtime === "edge" ? "ack 0 ms" : "node relay"];
  const [least, empty] = [of[`${runtime} least`], of[`${runtime} empty`]];
  return {
    runtime,
    relayP50Ms: spreadOf(relay.p50),
    leastP50Ms: spreadOf(least.p50),
    ratio: ratioOf(relay, least),
    emptyP50Ms: spreadOf(empty.p50),
    ratioToEmpty: ratioOf(relay, empty),
  };
}

/** Of the medians of each round. */
function ratioOf(one: Rounds, other: Rounds): Spread {
  return spreadOf(one.p50.map((p50, round) => p50 / (other.p50[round] ?? Number.NaN)));
}

function check({ acks, routes }: Figures): string[] {
  const failures: string[] = [];
  for (const { qstash, ratio, p99Ms } of acks) {
    if (!(ratio.median <= ackRatioMax))
      failures.push(
        `QStash ${qstash}: an ack takes ${show(ratio.median)} times that at 0 ms, more than ${ackRatioMax}`,
      );
    if (!(p99Ms.median <= ackP99MsMax))
      failures.push(`QStash ${qstash}: the ack's p99 is ${show(p99Ms.median)} ms, more than ${ackP99MsMax}`);
  }
  for (const { runtime, ratio } of routes) {
    if (!(ratio.median <= leastRatioMax))
      failures.push(`The ${runtime} route takes ${show(ratio.median)} times the least one, more than ${leastRatioMax}`);
  }
  return failures;
}

function drawAcks({ rounds, ratePerSecond, acks, senderLateP99Ms }: Figures): BenchTable {
  return {
    title: `The edge route's answer at ${ratePerSecond} deliveries a second, from when each was due: medians of ${rounds} rounds (their range)
At most ${ackRatioMax} times that at 0 ms, and ${ackP99MsMax} ms at p99. Of it the sender's own lateness: at p99 at most ${show(senderLateP99Ms.max)} ms`,
    head: ["QStash", "p50 ms", "times 0 ms", "p99 ms", "race:3000 p50", "race:3000 p99"],
    rows: acks.map(({ qstash, p50Ms, ratio, p99Ms, race }) => [
      qstash,
      ...[p50Ms, ratio, p99Ms].map(showSpread),
      race && showSpread(race.p50Ms),
      race && showSpread(race.p99Ms),
    ]),
  };
}

function drawRoutes(routes: RouteFigures[]): BenchTable {
  return {
    title: `Beside the least receiver (HMAC, JSON.parse, one fetch in the background): at most ${leastRatioMax} times; and an empty route. p50 in ms`,
    head: ["runtime", "relay", "least", "times", "empty", "times"],
    rows: routes.map(({ runtime, relayP50Ms, leastP50Ms, ratio, emptyP50Ms, ratioToEmpty }) => [
      runtime,
      ...[relayP50Ms, leastP50Ms, ratio, emptyP50Ms, ratioToEmpty].map(showSpread),
    ]),
  };
}
