import type { BenchResult, BenchTable } from "./bench-section.ts";
import { type Spread, spreadOf } from "./measure.ts";
import { show, showSpread } from "./show.ts";

/** How many deliveries are under way: one after another; and so many at once that reports go together. */
export const crowds = [1, 16] as const;
type Crowd = (typeof crowds)[number];

const runtimes = ["edge", "node"] as const;
type Runtime = (typeof runtimes)[number];

export type CostContestant = `${"relay" | "SDK for each event"}, ${Runtime}`;

/** What a delivery of so many events took in each round, by how many were under way. */
export interface CostRounds {
  by: CostContestant;
  events: number;
  rounds: Record<Crowd, Rounds>;
}

interface Rounds {
  /** Of one delivery, all threads of the server, until the last of it is done. */
  cpuMs: number[];
  requests: number[];
}

/** At one event, the size of most deliveries. */
const eventsJudged = 1;
const cpuRatioMax = 1.2;
const requestsMax = 1.15;

interface CostFigures {
  events: number;
  by: CostContestant;
  cpuMs: Spread;
  requests: Spread;
  crowded: { cpuMs: Spread; requests: Spread };
}

/** The relay's CPU time as a multiple of the SDK's, within each round. */
interface RatioFigures {
  events: number;
  runtime: Runtime;
  atOnce: Crowd;
  /** In the same runtime: this one is judged. */
  toSame: Spread;
  /** In Node, in whatever runtime the relay is: on one machine the edge is an emulation, whose own cost is in the ratio. */
  toNode: Spread;
}

/** What the rounds come to: ratios within each round, limits, tables. */
export function reportCost(all: readonly CostRounds[], rounds: number): BenchResult {
  const costs = all.map(({ events, by, rounds: { 1: alone, 16: crowded } }): CostFigures => {
    const spread = ({ cpuMs, requests }: Rounds) => ({ cpuMs: spreadOf(cpuMs), requests: spreadOf(requests) });
    return { events, by, ...spread(alone), crowded: spread(crowded) };
  });
  const ratios = [...new Set(all.map(({ events }) => events))].flatMap((events) => compare(all, events));
  return {
    figures: { rounds, costs, ratios },
    tables: [drawCosts(costs, rounds), drawRatios(ratios)],
    failures: [...ratios.flatMap(checkRatio), ...costs.flatMap(checkRequests)],
  };
}

function compare(all: readonly CostRounds[], events: number): RatioFigures[] {
  const cpuOf = (by: CostContestant, atOnce: Crowd) =>
    all.find((one) => one.by === by && one.events === events)?.rounds[atOnce].cpuMs ?? [];
  return runtimes.flatMap((runtime) =>
    crowds.map((atOnce) => {
      const relay = cpuOf(`relay, ${runtime}`, atOnce);
      const ratioTo = (sdk: Runtime) => {
        const others = cpuOf(`SDK for each event, ${sdk}`, atOnce);
        return spreadOf(relay.map((cpuMs, round) => cpuMs / (others[round] ?? Number.NaN)));
      };
      return { events, runtime, atOnce, toSame: ratioTo(runtime), toNode: ratioTo("node") };
    }),
  );
}

function checkRatio({ events, runtime, atOnce, toSame }: RatioFigures): string[] {
  if (events !== eventsJudged || toSame.median <= cpuRatioMax) return [];
  return [
    `The ${runtime} route takes ${show(toSame.median)} times the CPU of the SDK's, more than ${cpuRatioMax}, with ${atOnce} at once`,
  ];
}

function checkRequests({ events, by, requests, crowded }: CostFigures): string[] {
  const most = Math.max(requests.median, crowded.requests.median);
  if (events !== eventsJudged || !by.startsWith("relay") || most <= requestsMax) return [];
  return [`${by}: ${show(most)} requests a delivery, more than ${requestsMax}`];
}

function drawCosts(costs: readonly CostFigures[], rounds: number): BenchTable {
  return {
    title: `What a delivery costs the server, until all of it is done: medians of ${rounds} rounds (their range)
At one event the relay makes at most ${requestsMax} requests`,
    head: ["events", "by", "CPU ms", "requests", `CPU ms, ${crowds[1]} at once`, "requests"],
    rows: costs.map(({ events, by, cpuMs, requests, crowded }) => [
      events,
      by,
      ...[cpuMs, requests, crowded.cpuMs, crowded.requests].map(showSpread),
    ]),
  };
}

function drawRatios(ratios: readonly RatioFigures[]): BenchTable {
  return {
    title: `The relay's CPU time as a multiple of the SDK's in the same runtime, at one event at most ${cpuRatioMax}; and of the SDK's in Node`,
    head: ["events", "relay", "at once", "times the SDK's, same runtime", "times the SDK's, Node"],
    rows: ratios.map(({ events, runtime, atOnce, toSame, toNode }) => [
      events,
      runtime,
      atOnce,
      showSpread(toSame),
      showSpread(toNode),
    ]),
  };
}
