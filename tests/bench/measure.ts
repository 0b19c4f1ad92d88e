export interface Timing {
  /** The median over the rounds, in microseconds a call. */
  medianUs: number;
  /** Of all rounds, in their order. */
  roundsUs: number[];
}

export interface MeasureOptions {
  rounds: number;
  /** How long each contestant runs in a round, roughly. */
  sliceMs: number;
}

/**
 * Times the contestants in turns, in every round the other way about, so that whatever else the machine does falls on
 * all of them. One round's worth runs first and is thrown away.
 */
export async function measureInTurns<Name extends string>(
  contestants: Record<Name, () => Promise<unknown>>,
  { rounds, sliceMs }: MeasureOptions,
): Promise<Record<Name, Timing>> {
  const names = Object.keys(contestants) as Name[];
  const calls = new Map<Name, number>();
  for (const name of names) calls.set(name, await callsWithin(contestants[name], sliceMs));

  const roundsUs = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      roundsUs.get(name)?.push(await timeUs(contestants[name], calls.get(name) ?? 1));
    }
  }
  const timing = (name: Name): Timing => {
    const all = roundsUs.get(name) ?? [];
    return { medianUs: median(all), roundsUs: all };
  };
  return Object.fromEntries(names.map((name) => [name, timing(name)])) as Record<Name, Timing>;
}

/** Microseconds for one of so many calls. */
async function timeUs(work: () => Promise<unknown>, calls: number): Promise<number> {
  const startedMs = performance.now();
  for (let call = 0; call < calls; call += 1) await work();
  return ((performance.now() - startedMs) / calls) * 1_000;
}

/** How many calls fill a slice; finding that out is the warm-up. */
async function callsWithin(work: () => Promise<unknown>, sliceMs: number): Promise<number> {
  const startedMs = performance.now();
  let calls = 0;
  while (performance.now() - startedMs < sliceMs * 5) {
    await work();
    calls += 1;
  }
  return Math.max(1, Math.round(calls / 5));
}

/** A figure of several rounds: what is in the middle, and how far apart they were. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
}
