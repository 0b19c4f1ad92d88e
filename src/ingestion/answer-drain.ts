import type { Clock } from "#platform/clock.ts";
import type { Log } from "#platform/log.ts";
import { readInternal } from "#platform/read-internal.ts";
import { refuse } from "#platform/refuse.ts";

import { type AfterAnswerOptions, goOnAfterAnswer } from "./after-answer.ts";

export interface AnswerDrainOptions extends Pick<AfterAnswerOptions, "waitUntil"> {
  /** Throws `ENV_INVALID` if a variable is missing. */
  readSecrets: () => readonly string[];
  /** Never rejects. */
  drain: () => Promise<unknown>;
  clock: Clock;
  log: Log;
}

/** Wakes the drain: 202 at once, because the webhook waits for the answer and not for the work. */
export async function answerDrain(
  request: Request,
  { readSecrets, drain, waitUntil, clock, log }: AnswerDrainOptions,
): Promise<Response> {
  try {
    await readInternal(request, { readSecrets, bytesMax: 1_000, timeoutMs: 5_000, clock });
    await goOnAfterAnswer(drain(), { waitUntil, log });
    return Response.json({ draining: true }, { status: 202 });
  } catch (thrown) {
    return refuse(log, "drain.refused", thrown);
  }
}
