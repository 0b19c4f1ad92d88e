import { createRandom } from "../support/mutate.ts";
import { postAll, postDelivery, type SignedDelivery } from "./delivery-sender.ts";
import { median, quantile } from "./measure.ts";
import { sendOpenLoop } from "./open-loop.ts";
import type { BenchSink } from "./sink.ts";

/** One address under one condition. */
export interface Contestant {
  url: string;
  /** Of the QStash behind it; null if it never answers. */
  delayMs: number | null;
  /** Sent before the slice, and not counted. */
  leadInMs: number;
  sliceMs: number;
}

/** Of each round's slice, in milliseconds. */
export interface Rounds {
  p50: number[];
  p99: number[];
}

export interface SliceTimes<Name extends string> {
  of: Record<Name, Rounds>;
  /** How late the sender itself was, in each slice. */
  lateP99: number[];
}

export interface SliceOptions {
  rounds: number;
  ratePerSecond: number;
  delivery: SignedDelivery;
  sink: BenchSink;
  note: (text: string) => void;
}

/** Until the machine code of a route hardly changes any more. */
const warmUp = { deliveries: 1_000, atOnce: 4 };

/**
 * Times answers at a steady rate, each contestant by itself, in every round the other way about, so that whatever else
 * the machine does falls on all of them. Before the first, every address is warmed up.
 */
export async function timeSlices<Name extends string>(
  contestants: Record<Name, Contestant>,
  options: SliceOptions,
): Promise<SliceTimes<Name>> {
  const names = Object.keys(contestants) as Name[];
  const of = Object.fromEntries(names.map((name) => [name, { p50: [], p99: [] }])) as unknown as Record<Name, Rounds>;
  const lateP99: number[] = [];

  options.note("Warming up …");
  for (const url of new Set(names.map((name) => contestants[name].url))) {
    await postAll(warmUp.deliveries, warmUp.atOnce, () => postDelivery(url, options.delivery));
  }
  await options.sink.untilQuiet();
  for (let round = 0; round < options.rounds; round += 1) {
    options.note(`Sending ${options.ratePerSecond} deliveries a second, round ${round + 1} of ${options.rounds} …`);
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const { latenciesMs, lateMs } = await timeSlice(contestants[name], options);
      of[name].p50.push(median(latenciesMs));
      of[name].p99.push(quantile(latenciesMs, 0.99));
      lateP99.push(quantile(lateMs, 0.99));
    }
  }
  return { of, lateP99 };
}

/** Leaves nothing under way. */
async function timeSlice(
  { url, delayMs, leadInMs, sliceMs }: Contestant,
  { ratePerSecond, delivery, sink }: SliceOptions,
): Promise<{ latenciesMs: number[]; lateMs: number[] }> {
  const leadIn = Math.round((leadInMs * ratePerSecond) / 1_000);
  const counted = Math.round((sliceMs * ratePerSecond) / 1_000);
  const send = () => postDelivery(url, delivery);
  // Exactly every 10 ms, a delivery would always meet the end of the 3 s that an earlier one's attempt may take at the
  // same moment of its handling. The same seed makes the same schedule for all.
  const random = createRandom(1);
  await sink.setDelay(delayMs);
  const { latenciesMs, lateMs } = await sendOpenLoop({ ratePerSecond, count: leadIn + counted, random, send });
  await sink.setDelay(0);
  await sink.untilQuiet();
  return { latenciesMs: latenciesMs.slice(leadIn), lateMs: lateMs.slice(leadIn) };
}
