import { answerInternal, type AnswerInternalOptions } from "./answer-internal.ts";
import type { LifecycleMark } from "./experiment.ts";
import { parseMark } from "./wire.ts";

export interface AnswerMarkOptions extends Omit<AnswerInternalOptions<{ secret: string }>, "refused"> {
  /** Stores when a mark arrived. Resolves with true if it is the first mark of a known run. */
  save: (mark: LifecycleMark, arrivedAtMs: number) => Promise<boolean>;
}

/**
 * Answers a run's mark with `{ recorded }`, after storing it. Answers 401 `SIGNATURE_INVALID` unless `RELAY_SECRET`
 * signed the body, and 400 `REQUEST_INVALID` unless it is a mark.
 */
export async function answerMark(request: Request, { save, ...options }: AnswerMarkOptions): Promise<Response> {
  // Taken before the body is read, which may take time.
  const arrivedAtMs = options.clock.nowMs();
  return answerInternal(request, { ...options, refused: "lifecycle.mark_refused" }, async (body) =>
    Response.json({ recorded: await save(parseMark(body), arrivedAtMs) }),
  );
}
