/** What a delivery costs the server: CPU time and HTTP requests, beside one message for each event by QStash's SDK. */
import type { BenchOptions, BenchResult, BenchTable } from "./bench-section.ts";
import { postAll, postDelivery, type SignedDelivery, signDelivery } from "./delivery-sender.ts";
import { type Spread, spreadOf } from "./measure.ts";
import { type Rig, withRig } from "./rig.ts";
import type { BenchServer } from "./server-process.ts";
import { showSpread } from "./show.ts";
import type { BenchSink } from "./sink.ts";

const roundsUsual = 5;
/** Of each size as many as the slowest contestant handles in about a second. */
const sizes = [
  { events: 1, deliveries: 160 },
  { events: 20, deliveries: 64 },
  { events: 200, deliveries: 16 },
];
/** One after another; and so many at once that reports go together. */
const crowds = [1, 16] as const;
/** Nothing fails here, so nothing waits unseen before it tries again. */
const quietMs = 200;

interface Target {
  name: string;
  server: BenchServer;
  path: string;
  /** What it has to publish for a delivery of so many events. */
  messages: (events: number) => number;
}

/** One target with one size: what each round took, by how many deliveries were under way at once. */
interface Contestant {
  target: Target;
  events: number;
  deliveries: number;
  delivery: SignedDelivery;
  rounds: Record<(typeof crowds)[number], { cpuMs: number[]; requests: number[] }>;
}

interface CostFigures {
  events: number;
  by: string;
  /** Of one delivery, all threads of the server, until the last of it is done. */
  cpuMs: Spread;
  requests: Spread;
  crowded: { cpuMs: Spread; requests: Spread };
}

export async function benchCost({ rounds: asked, isQuick, note }: BenchOptions): Promise<BenchResult> {
  const rounds = asked ?? (isQuick ? 1 : roundsUsual);
  const contestants = await withRig(note, async (rig) => {
    note("Starting the servers …");
    const started = await startContestants(rig, isQuick);
    // One round first that is thrown away.
    for (let round = 0; round <= rounds; round += 1) {
      note(round === 0 ? "Warming up …" : `Counting CPU time and requests, round ${round} of ${rounds} …`);
      for (const contestant of round % 2 === 0 ? started : started.toReversed()) {
        await countRound(contestant, rig.sink, round > 0);
      }
    }
    return started;
  });
  const costs = contestants.map(({ target, events, rounds: { 1: alone, 16: crowded } }): CostFigures => {
    const spread = ({ cpuMs, requests }: typeof alone) => ({ cpuMs: spreadOf(cpuMs), requests: spreadOf(requests) });
    return { events, by: target.name, ...spread(alone), crowded: spread(crowded) };
  });
  return { figures: { rounds, costs }, tables: [draw(costs, rounds)], failures: [] };
}

async function startContestants({ startRelay, startFixture }: Rig, isQuick: boolean): Promise<Contestant[]> {
  const relay = await startRelay();
  const fixture = await startFixture();
  const targets: Target[] = [
    { name: "relay, edge", server: relay, path: "/api/webhooks/instagram", messages: () => 1 },
    { name: "relay, node", server: relay, path: "/api/webhooks/instagram/node", messages: () => 1 },
    { name: "SDK for each event, node", server: fixture, path: "/node/sdk-per-event", messages: (events) => events },
  ];
  const contestants: Contestant[] = [];
  for (const { events, deliveries } of sizes) {
    const delivery = await signDelivery(events);
    for (const target of targets) {
      const rounds = { 1: { cpuMs: [], requests: [] }, 16: { cpuMs: [], requests: [] } };
      contestants.push({ target, events, delivery, deliveries: isQuick ? 4 : deliveries, rounds });
    }
  }
  return contestants;
}

async function countRound(
  { target, events, deliveries, delivery, rounds }: Contestant,
  sink: BenchSink,
  counts: boolean,
) {
  const { server, path, messages } = target;
  for (const atOnce of crowds) {
    const [usage, before] = [await server.readUsage(), await sink.read()];
    await postAll(deliveries, atOnce, () => postDelivery(`${server.baseUrl}${path}`, delivery));
    await sink.untilQuiet(quietMs, before.published + deliveries * messages(events));
    const [usageAfter, after] = [await server.readUsage(), await sink.read()];
    const published = after.published - before.published;
    // What was left undone would look cheap.
    if (published !== deliveries * messages(events))
      throw new Error(
        `${target.name} published ${published} messages for ${deliveries} deliveries of ${events} events`,
      );
    if (!counts) continue;
    rounds[atOnce].cpuMs.push((usageAfter.cpuMs - usage.cpuMs) / deliveries);
    rounds[atOnce].requests.push((after.requests - before.requests) / deliveries);
  }
}

function draw(costs: CostFigures[], rounds: number): BenchTable {
  return {
    title: `What a delivery costs the server, until all of it is done: medians of ${rounds} rounds (their range)`,
    head: ["events", "by", "CPU ms", "requests", `CPU ms, ${crowds[1]} at once`, "requests"],
    rows: costs.map(({ events, by, cpuMs, requests, crowded }) => [
      events,
      by,
      ...[cpuMs, requests, crowded.cpuMs, crowded.requests].map(showSpread),
    ]),
  };
}
