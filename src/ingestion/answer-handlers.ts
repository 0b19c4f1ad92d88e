import { decodeHandlersMessage } from "#queue/handlers-message.ts";

import { answerQstash, type AnswerQstashOptions } from "#queue/answer-qstash.ts";
import type { RunHandlersOptions } from "./run-event-handlers.ts";
import { runHandlersOf } from "./run-handlers-of.ts";
import { takeRun } from "./take-run.ts";

export interface AnswerHandlersOptions extends AnswerQstashOptions {
  /** Throws `ENV_INVALID` if a variable is missing. */
  openHandlers: () => Omit<RunHandlersOptions, "clock" | "log">;
}

/**
 * Runs the handlers of the events that a message names: retries, the rest of a long batch, replays. 200 whatever becomes
 * of them, because their retries are messages of their own; 503 if they could not even be leased.
 */
export function answerHandlers(request: Request, options: AnswerHandlersOptions): Promise<Response> {
  return answerQstash(request, "handlers.refused", options, async ({ body, messageId, retried }, log) => {
    const message = decodeHandlersMessage(body);
    const run = { ...options.openHandlers(), clock: options.clock, log };
    const leave = await takeRun(retried, run);
    try {
      return Response.json(await runHandlersOf({ ...message, messageId }, run));
    } finally {
      leave();
    }
  });
}
