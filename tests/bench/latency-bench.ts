/**
 * How long Meta waits for the built server's answer, whatever QStash does meanwhile.
 *
 * - An open loop: deliveries are sent on schedule, whether or not those before are answered, and timed from when they
 *   were due.
 * - QStash and the Node routes that our own webhook calls are another process, the sender a third: the server under test
 *   does nothing but the webhook's work. All three share the machine, so it needs two free cores.
 * - Every contestant is alone while it is timed, in rounds; ratios are those within a round.
 * - The least receiver is built and started as the relay is, but has nothing of ours in it.
 */
import type { BenchOptions, BenchResult } from "./bench-section.ts";
import { signDelivery } from "./delivery-sender.ts";
import { type DelayName, delayNames, type LatencyContestant, reportLatency, runtimes } from "./latency-report.ts";
import { type Rig, withRig } from "./rig.ts";
import { type Contestant, timeSlices } from "./time-slices.ts";

const ratePerSecond = 100;
const roundsUsual = 5;

/**
 * The slice begins when forwards end as fast as they begin. An attempt is given up after 3 s and a forward's publishing
 * after 8 s; so with a QStash that takes as long, or for ever, the slice lies where there is most to do: the first
 * forwards fall back, those behind them make their last attempts, and the new ones make their only one.
 */
const delays: Record<DelayName, { delayMs: number | null; leadInMs: number }> = {
  "0 ms": { delayMs: 0, leadInMs: 500 },
  "300 ms": { delayMs: 300, leadInMs: 800 },
  "3 s": { delayMs: 3_000, leadInMs: 8_500 },
  silent: { delayMs: null, leadInMs: 8_500 },
  "silent at first": { delayMs: null, leadInMs: 500 },
};
const path = "/api/webhooks/instagram";

type Contestants = Record<LatencyContestant, Contestant>;

export async function benchLatency({ rounds: asked, isQuick, note }: BenchOptions): Promise<BenchResult> {
  const rounds = asked ?? (isQuick ? 1 : roundsUsual);
  const times = await withRig(note, async (rig) => {
    note("Starting the servers …");
    const all = await startContestants(rig);
    const contestants = isQuick ? shorten(all) : all;
    return timeSlices(contestants, { rounds, ratePerSecond, delivery: await signDelivery(1), sink: rig.sink, note });
  });
  return reportLatency(times, { rounds, ratePerSecond });
}

/** All servers run all the time: one that nobody asks anything costs nothing. */
async function startContestants({ startRelay, startFixture }: Rig): Promise<Contestants> {
  const relay = await startRelay();
  const race = await startRelay({ env: { ACK_MODE: "race:3000" } });
  const fixture = await startFixture();
  const contestants: Partial<Contestants> = {};
  for (const name of delayNames) {
    const { delayMs, leadInMs } = delays[name];
    contestants[`ack ${name}`] = { url: `${relay.baseUrl}${path}`, delayMs, leadInMs, sliceMs: 2_500 };
    // All there is to see of it is how long it waits for QStash; that takes no crowd.
    if (name !== "silent at first")
      contestants[`race ${name}`] = { url: `${race.baseUrl}${path}`, delayMs, leadInMs: 500, sliceMs: 1_500 };
  }
  const answering = { ...delays["0 ms"], sliceMs: 2_500 };
  contestants["node relay"] = { ...answering, url: `${relay.baseUrl}${path}/node` };
  for (const runtime of runtimes) {
    for (const route of ["least", "empty"] as const) {
      contestants[`${runtime} ${route}`] = { ...answering, url: `${fixture.baseUrl}/${runtime}/${route}` };
    }
  }
  return contestants as Contestants;
}

function shorten(contestants: Contestants): Contestants {
  const short = ([name, contestant]: [string, Contestant]) => [name, { ...contestant, leadInMs: 100, sliceMs: 400 }];
  return Object.fromEntries(Object.entries(contestants).map(short)) as Contestants;
}
