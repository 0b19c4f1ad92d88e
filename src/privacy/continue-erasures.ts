import * as v from "valibot";

import { describeCause, type Log } from "#platform/log.ts";
import { readOpenDeletions } from "#store/erase-person.ts";
import { forgetErasedPeople, isAnythingErased } from "#store/find-erased.ts";
import { eraseRecentlyUnsent } from "#store/unsent-messages.ts";

import { carryOutDeletion, type CarryOutOptions } from "./carry-out-deletion.ts";
import { redactLetters } from "./redact-letters.ts";
import { redactQueueLetters } from "./redact-queue-letters.ts";

const deletionsMax = 20;

/** Where the two lists of dead letters go on. */
const lastSchema = v.object({
  afterId: v.fallback(v.nullable(v.number()), null),
  cursor: v.fallback(v.nullable(v.string()), null),
});

export interface ContinueErasuresOptions extends CarryOutOptions {
  log: Log;
}

/**
 * The part of maintenance that erases: requests of people that took longer than one call, texts that were stored at the
 * moment at which they were unsent, and dead letters that came, here or at QStash, after an erasure and hold what was
 * erased. `last` is what it resolved with before. Throws `STORE_UNAVAILABLE` and `QSTASH_UNAVAILABLE`.
 */
export async function continueErasures(
  options: ContinueErasuresOptions,
  deadlineMs: number,
  last: unknown,
): Promise<Record<string, unknown>> {
  const { db, clock } = options;
  const completed = await continueDeletions(options, deadlineMs);
  const unsent = await eraseRecentlyUnsent(db, clock.nowMs());
  await forgetErasedPeople(db);
  if (!(await isAnythingErased(db))) return { completed, unsent };

  const from = v.is(v.object({}), last) ? v.parse(lastSchema, last) : { afterId: null, cursor: null };
  const letters = await redactLetters(options, from.afterId ?? 0, deadlineMs);
  const ours = { completed, unsent, redacted: letters.redacted, afterId: letters.afterId };
  if (options.api === null || clock.monotonicMs() >= deadlineMs) return { ...ours, cursor: from.cursor };
  const { deleted, cursor } = await redactQueueLetters({ ...options, api: options.api }, from.cursor, deadlineMs);
  return { ...ours, deleted, cursor };
}

async function continueDeletions(options: ContinueErasuresOptions, deadlineMs: number): Promise<number> {
  let completed = 0;
  for (const requestId of await readOpenDeletions(options.db, deletionsMax)) {
    if (options.clock.monotonicMs() >= deadlineMs) break;
    try {
      const { isComplete, erased } = await carryOutDeletion(options, requestId, deadlineMs);
      if (!isComplete) continue;
      completed += 1;
      options.log.info("data_deletion.completed", { requestId, erased });
    } catch (thrown) {
      // One request that fails must not stop the others.
      options.log.error("data_deletion.failed", { requestId, ...describeCause(thrown) });
    }
  }
  return completed;
}
