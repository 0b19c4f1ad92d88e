/**
 * What a delivery costs the server: CPU time and HTTP requests, beside a route that publishes one message for each event with
 * QStash's SDK, in the same runtime. Both servers are built and started in the same way, with the same options of Node.
 */
import type { BenchOptions, BenchResult } from "./bench-section.ts";
import { type CostContestant, type CostRounds, crowds, reportCost } from "./cost-report.ts";
import { postAll, postDelivery, type SignedDelivery, signDelivery } from "./delivery-sender.ts";
import { type Rig, withRig } from "./rig.ts";
import type { BenchServer } from "./server-process.ts";
import type { BenchSink } from "./sink.ts";

const roundsUsual = 6;
/** Thrown away, while the servers' code becomes quick: of one event two thousand deliveries at each route. */
const roundsBefore = 2;
/**
 * One size after another, the judged one first: 200 publishes for each delivery make the SDK's code quicker than as many
 * deliveries of one event, and leave another heap than the one publish of the relay. Most deliveries of those that are
 * judged: garbage is collected after every fifty or so, and where a round ends is chance.
 */
const sizes = [
  { events: 1, deliveries: 480 },
  { events: 20, deliveries: 24 },
  { events: 200, deliveries: 6 },
];
/** Nothing fails here, so nothing waits unseen before it tries again. */
const quietMs = 200;

interface Target {
  by: CostContestant;
  server: BenchServer;
  path: string;
  /** What it has to publish for a delivery of so many events. */
  messages: (events: number) => number;
}

/** One target with one size: what each round took. */
interface Contestant extends CostRounds {
  target: Target;
  deliveries: number;
  delivery: SignedDelivery;
}

export async function benchCost({ rounds: asked, isQuick, note }: BenchOptions): Promise<BenchResult> {
  const rounds = asked ?? (isQuick ? 1 : roundsUsual);
  const contestants = await withRig(note, async (rig) => {
    note("Starting the servers …");
    const started = await startContestants(rig, isQuick);
    for (const { events } of sizes) {
      const ofSize = started.filter((contestant) => contestant.events === events);
      for (let round = isQuick ? 0 : -roundsBefore; round < rounds; round += 1) {
        const what = round < 0 ? "warming up" : `round ${round + 1} of ${rounds}`;
        note(`Counting CPU time and requests, deliveries of ${events} events, ${what} …`);
        for (const contestant of round % 2 === 0 ? ofSize : ofSize.toReversed()) {
          await countRound(contestant, rig.sink, round >= 0);
        }
      }
    }
    return started;
  });
  return reportCost(contestants, rounds);
}

async function startContestants({ startRelay, startFixture }: Rig, isQuick: boolean): Promise<Contestant[]> {
  const relay = await startRelay();
  const fixture = await startFixture();
  const targets: Target[] = [
    { by: "relay, edge", server: relay, path: "/api/webhooks/instagram", messages: () => 1 },
    { by: "SDK for each event, edge", server: fixture, path: "/edge/sdk-per-event", messages: (events) => events },
    { by: "relay, node", server: relay, path: "/api/webhooks/instagram/node", messages: () => 1 },
    { by: "SDK for each event, node", server: fixture, path: "/node/sdk-per-event", messages: (events) => events },
  ];
  const contestants: Contestant[] = [];
  for (const { events, deliveries } of sizes) {
    const delivery = await signDelivery(events);
    for (const target of targets) {
      const rounds = { 1: { cpuMs: [], requests: [] }, 16: { cpuMs: [], requests: [] } };
      contestants.push({ target, by: target.by, events, delivery, deliveries: isQuick ? 4 : deliveries, rounds });
    }
  }
  return contestants;
}

async function countRound(
  { target, by, events, deliveries, delivery, rounds }: Contestant,
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
      throw new Error(`${by} published ${published} messages for ${deliveries} deliveries of ${events} events`);
    if (!counts) continue;
    rounds[atOnce].cpuMs.push((usageAfter.cpuMs - usage.cpuMs) / deliveries);
    rounds[atOnce].requests.push((after.requests - before.requests) / deliveries);
  }
}
