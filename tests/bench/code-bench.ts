/**
 * What a delivery costs the code of the edge route, without a server.
 *
 * - It runs the code of `src` in `@edge-runtime/vm`, with the VM's own crypto and encoders, not in Node's realm.
 * - The floor is what no receiver can do without: checking the signature of the same bytes, parsing them, and writing
 *   them out again as JSON. Both start from bytes and end with bytes; only the relay has to read the header as well.
 * - Relay and floor run in turns within a round, and change places every round; the ratio is the median of the rounds'
 *   ratios, shown with the quarter of the rounds below and above it. Times alone say more of the machine than of the code.
 * - The payloads are written as Meta writes them, with escapes and ids of real length.
 */
import type { BenchOptions, BenchResult, BenchTable } from "./bench-section.ts";
import { type EdgeVm, openEdgeVm } from "./edge-vm.ts";
import { type MeasureOptions, measureInTurns, median, quantile } from "./measure.ts";
import { webhookBody } from "./payloads.ts";

const roundsUsual = 40;
const deliveries = [
  { size: "0.6 kB", events: 1, length: 1 },
  { size: "60 kB", events: 100, length: 1 },
  // Meta sends at most a thousand updates at once, so a megabyte of them are longer ones.
  { size: "1 MB", events: 1_000, length: 3 },
];
const growth = [1, 10, 100, 1_000];
const ratioMax = 1.5;
/** Linear means that an event among a thousand costs what one among a hundred does, the machine's caches aside. */
const growthMax = 1.5;

interface Figures {
  rounds: number;
  speed: (Comparison & { size: string; events: number })[];
  perEvent: { events: number; relayUs: number; perEventUs: number }[];
}

interface Comparison {
  bytes: number;
  relayUs: number;
  floorUs: number;
  ratio: number;
  /** The quarter of the rounds' ratios that is lower, and the one that is higher. */
  ratioQuartiles: [number, number];
}

export async function benchCode({ rounds, isQuick, note }: BenchOptions): Promise<BenchResult> {
  const options: MeasureOptions = { rounds: rounds ?? (isQuick ? 2 : roundsUsual), sliceMs: 20 };
  const vm = await openEdgeVm();
  const speed = [];
  for (const { size, events, length } of deliveries) {
    note(`Timing a delivery of ${size} …`);
    speed.push({ size, events, ...(await compareWithFloor(vm, webhookBody(events, length), options)) });
  }
  note("Timing 1 to 1,000 events …");
  const figures: Figures = { rounds: options.rounds, speed, perEvent: await measureGrowth(vm, options) };
  return { figures, tables: draw(figures), failures: check(figures) };
}

async function compareWithFloor(vm: EdgeVm, body: string, options: MeasureOptions): Promise<Comparison> {
  const { relay, floor } = await measureInTurns({ ...(await vm.prepare(body)) }, options);
  const ratios = relay.roundsUs.map((us, round) => us / (floor.roundsUs[round] ?? Number.NaN));
  return {
    bytes: body.length,
    relayUs: relay.medianUs,
    floorUs: floor.medianUs,
    ratio: median(ratios),
    ratioQuartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
  };
}

async function measureGrowth(vm: EdgeVm, options: MeasureOptions): Promise<Figures["perEvent"]> {
  const contestants: Record<string, () => Promise<unknown>> = {};
  for (const events of growth) contestants[events] = (await vm.prepare(webhookBody(events))).relay;
  const timings = await measureInTurns(contestants, options);
  return growth.map((events) => {
    const relayUs = timings[events]?.medianUs ?? Number.NaN;
    return { events, relayUs, perEventUs: relayUs / events };
  });
}

function check({ speed, perEvent }: Figures): string[] {
  const [last, before] = perEvent.toReversed();
  const failures = speed
    .filter(({ ratio }) => ratio > ratioMax)
    .map(({ size, ratio }) => `${size}: ${ratio.toFixed(2)} times the floor, more than ${ratioMax}`);
  if (last !== undefined && before !== undefined && last.perEventUs > before.perEventUs * growthMax) {
    failures.push(`An event among ${last.events} costs more than ${growthMax} times one among ${before.events}`);
  }
  return failures;
}

function draw({ rounds, speed, perEvent }: Figures): BenchTable[] {
  const us = (value: number) => value.toFixed(value < 10 ? 2 : 0);
  const first = perEvent[0]?.perEventUs ?? Number.NaN;
  return [
    {
      title: `Verify, parse, key and encode a delivery, against the floor; medians of ${rounds} rounds, at most ${ratioMax} times`,
      head: ["delivery", "events", "bytes", "relay µs", "floor µs", "times", "quartiles"],
      rows: speed.map(({ size, events, bytes, relayUs, floorUs, ratio, ratioQuartiles: [low, high] }) => [
        size,
        events,
        bytes,
        us(relayUs),
        us(floorUs),
        ratio.toFixed(2),
        `${low.toFixed(2)} – ${high.toFixed(2)}`,
      ]),
    },
    {
      title: `Growth with the number of events; the last at most ${growthMax} times the one before it`,
      head: ["events", "relay µs", "µs an event", "times the first"],
      rows: perEvent.map(({ events, relayUs, perEventUs }) => [
        events,
        us(relayUs),
        us(perEventUs),
        (perEventUs / first).toFixed(2),
      ]),
    },
  ];
}
