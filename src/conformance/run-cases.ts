import type { ConformanceCase, Level } from "./conformance-case.ts";
import { NoAnswer } from "./exchange.ts";
import type { Receiver } from "./receiver.ts";

export interface CaseResult {
  id: string;
  level: Level;
  checks: string;
  why: string;
  /** `advised`: a case of level `should` that did not pass. */
  outcome: "passed" | "failed" | "advised";
  /** The fault; `null` if it passed. */
  reason: string | null;
  ms: number;
}

/** A receiver on a small machine answers this many without getting slow. */
const atOnce = 4;

/**
 * Runs the cases against one receiver, a few at a time, and resolves with their results in the order of the cases. A fault of
 * the receiver is a result and never rejects.
 */
export async function runCases(
  cases: readonly ConformanceCase[],
  receiver: Receiver,
  onDone: (done: number) => void = () => {},
): Promise<CaseResult[]> {
  const results = new Map<ConformanceCase, CaseResult>();
  const run = async (one: ConformanceCase) => {
    results.set(one, await runCase(one, receiver));
    onDone(results.size);
  };
  const paced = (pace: ConformanceCase["pace"]) => cases.filter((one) => one.pace === pace);
  const patient = Promise.all(paced("patient").map(run));
  const usual = paced(undefined);
  const worker = async () => {
    for (let one = usual.shift(); one; one = usual.shift()) await run(one);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  for (const one of paced("alone")) await run(one);
  await patient;
  return cases.flatMap((one) => results.get(one) ?? []);
}

async function runCase(one: ConformanceCase, receiver: Receiver): Promise<CaseResult> {
  const { id, level, checks, why } = one;
  const startedMs = receiver.clock.monotonicMs();
  const reason = await one.run(receiver).catch((error: unknown) => {
    if (error instanceof NoAnswer) return error.message;
    throw error;
  });
  const ms = Math.round(receiver.clock.monotonicMs() - startedMs);
  const fault = level === "must" ? "failed" : "advised";
  return { id, level, checks, why, outcome: reason === null ? "passed" : fault, reason, ms };
}
