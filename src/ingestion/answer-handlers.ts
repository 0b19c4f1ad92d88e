import type { Clock } from "#platform/clock.ts";
import type { Log } from "#platform/log.ts";
import { decodeHandlersMessage } from "#queue/handlers-message.ts";
import type { AnswerQueueCall, QueueCall } from "#queue/queue-call.ts";

import type { RunHandlersOptions } from "./run-event-handlers.ts";
import { runHandlersOf } from "./run-handlers-of.ts";
import { overloaded, takeRun } from "./take-run.ts";

export interface HandlersMessageOptions {
  /** Throws `ENV_INVALID` if a variable is missing. */
  openHandlers: () => Omit<RunHandlersOptions, "clock" | "log">;
  clock: Clock;
}

/**
 * Runs the handlers of the events that a message names: retries, the rest of a long batch, replays. 200 whatever becomes
 * of them, because their retries are messages of their own; 503 if they could not even be leased, or if too many handlers
 * run.
 */
export function answerHandlers(
  request: Request,
  answerCall: AnswerQueueCall,
  options: HandlersMessageOptions,
): Promise<Response> {
  return answerCall(request, "handlers.refused", async (call, log) =>
    Response.json(await runHandlersMessage(call, log, options)),
  );
}

/** The same for a message that has no request. Throws `OVERLOADED`, `STORE_UNAVAILABLE` and what decoding throws. */
export async function runHandlersMessage(
  { body, messageId, retried }: QueueCall,
  log: Log,
  { openHandlers, clock }: HandlersMessageOptions,
) {
  const message = decodeHandlersMessage(body);
  const run = { ...openHandlers(), clock, log };
  const leave = await takeRun(retried, run);
  if (leave === null) throw overloaded("The handlers are busy", retried, run.random);
  try {
    return await runHandlersOf({ ...message, messageId }, run);
  } finally {
    leave();
  }
}
