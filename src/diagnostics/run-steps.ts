import { TimeoutError } from "#platform/bounded-fetch.ts";
import { type Clock, settleWithin } from "#platform/clock.ts";

import { type Advice, type Check, type Finding, roundMs } from "./check.ts";
import { networkCodeOf } from "./explain-network.ts";

/** One step to a target, such as DNS or TLS. */
export interface Step {
  name: string;
  limitMs: number;
  /** Resolves with the finding; rejects if the step fails. */
  run: () => Promise<Finding>;
  /** Advice for what `run` rejects with. */
  explain: (error: unknown) => Advice;
}

export interface RunStepsOptions {
  /** The first part of the name of each check. */
  target: string;
  clock: Clock;
  /** For all steps together. */
  budgetMs: number;
  /** The status of a step that fails: `warning` if the product can work without the target. */
  failure: "failed" | "warning";
}

/** Runs the steps in order, each within its time limit. After a failure the others are skipped. Never rejects. */
export async function runSteps(steps: readonly Step[], options: RunStepsOptions): Promise<Check[]> {
  const { target, clock } = options;
  const deadline = clock.monotonicMs() + options.budgetMs;
  const checks: Check[] = [];
  let failed: string | undefined;
  for (const step of steps) {
    const name = `${target}: ${step.name}`;
    if (failed !== undefined) {
      checks.push({ name, status: "skipped", detail: `not tried, because ${failed} failed` });
      continue;
    }
    const startedAt = clock.monotonicMs();
    const { finding, goesOn } = await runStep(step, Math.max(0, Math.min(step.limitMs, deadline - startedAt)), options);
    const { status, detail, ...advice } = finding;
    checks.push({ name, status, detail, durationMs: roundMs(clock.monotonicMs() - startedAt), ...advice });
    if (!goesOn) failed = step.name;
  }
  return checks;
}

async function runStep(
  step: Step,
  limitMs: number,
  { clock, failure }: RunStepsOptions,
): Promise<{ finding: Finding; goesOn: boolean }> {
  try {
    const finding = await settleWithin(clock, limitMs, step.run());
    if (finding === undefined) throw new TimeoutError();
    return { finding, goesOn: finding.status !== "failed" };
  } catch (error) {
    const detail =
      error instanceof TimeoutError ? `no answer within ${(limitMs / 1000).toFixed(1)} s` : networkCodeOf(error);
    return { finding: { status: failure, detail, ...step.explain(error) }, goesOn: false };
  }
}
