import { TimeoutError } from "#platform/bounded-fetch.ts";
import type { Clock } from "#platform/clock.ts";
import { ForwardError, type ForwardErrorCode } from "#platform/forward-error.ts";

import { type Advice, type Check, type Finding, roundMs } from "../check.ts";
import { explainNetwork } from "../explain-network.ts";

/** What a queue's refusals mean: by code, and what is said of any other. */
export interface QueueAdvice {
  /** The variable that holds its address. */
  variable: string;
  byCode: Partial<Record<ForwardErrorCode, Advice>>;
  otherwise: Advice;
}

/**
 * Runs one check of a queue and times it. What it throws becomes a failed check, with the words of the error, which name
 * no value, and the advice for its code. Never rejects.
 */
export async function runQueueCheck(
  name: string,
  run: () => Promise<Finding>,
  { clock, advice }: { clock: Clock; advice: QueueAdvice },
): Promise<Check> {
  const startedAt = clock.monotonicMs();
  const finding = await run().catch((thrown: unknown) => explain(thrown, advice));
  return { name, ...finding, durationMs: roundMs(clock.monotonicMs() - startedAt) };
}

function explain(thrown: unknown, { variable, byCode, otherwise }: QueueAdvice): Finding {
  if (thrown instanceof ForwardError) {
    const { cause, remedy } = byCode[thrown.code] ?? otherwise;
    return { status: "failed", detail: thrown.code, cause: `${thrown.message}. ${cause}`, remedy };
  }
  const detail = thrown instanceof TimeoutError ? "no answer" : "not reached";
  return { status: "failed", detail, ...explainNetwork(thrown, { variable }) };
}
