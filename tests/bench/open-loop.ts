import { setImmediate, setTimeout } from "node:timers/promises";

export interface OpenLoopOptions {
  ratePerSecond: number;
  count: number;
  /** Uniform in [0, 1): where in its share of a second each is due. */
  random: () => number;
  /** Resolves when it is answered. */
  send: (index: number) => Promise<void>;
}

export interface OpenLoopTimes {
  /** From when each should have been sent to its answer, in the order of sending. */
  latenciesMs: number[];
  /** How long after that each was sent: what of the latency is the sender's own. */
  lateMs: number[];
}

/**
 * Sends so many a second, whether or not those before are answered. Measured from the schedule, a stall counts for
 * everyone who would have come during it. Ends early with what the first failed `send` threw.
 */
export async function sendOpenLoop({ ratePerSecond, count, random, send }: OpenLoopOptions): Promise<OpenLoopTimes> {
  const startedMs = performance.now();
  const latenciesMs: number[] = Array.from({ length: count });
  const lateMs: number[] = Array.from({ length: count });
  let failure: unknown;
  const sendOne = async (index: number, dueMs: number) => {
    lateMs[index] = performance.now() - dueMs;
    try {
      await send(index);
      latenciesMs[index] = performance.now() - dueMs;
    } catch (thrown) {
      failure ??= thrown;
    }
  };
  const sending: Promise<void>[] = [];
  for (let index = 0; index < count && failure === undefined; index += 1) {
    const dueMs = startedMs + ((index + random()) * 1_000) / ratePerSecond;
    await waitFor(dueMs);
    sending.push(sendOne(index, dueMs));
  }
  await Promise.all(sending);
  if (failure !== undefined) throw failure;
  return { latenciesMs, lateMs };
}

/** A timer is about that late. */
const timerMs = 1;

/** To the microsecond: a timer's lateness would be added to every latency and bring the ratios of two nearer to 1. */
async function waitFor(dueMs: number): Promise<void> {
  const restMs = dueMs - performance.now();
  if (restMs > timerMs) await setTimeout(restMs - timerMs);
  while (performance.now() < dueMs) await setImmediate();
}
