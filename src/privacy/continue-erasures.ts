import * as v from "valibot";

import { describeCause, type Log } from "#platform/log.ts";
import { readOpenDeletions } from "#store/erasure/data-deletions.ts";
import { forgetErasedPeople, isAnythingErased } from "#store/erasure/find-erased.ts";
import { eraseRecentlyUnsent, eraseUnsentAfter } from "#store/ingest/unsent-messages.ts";

import { carryOutDeletion, type CarryOutOptions } from "./carry-out-deletion.ts";
import { redactLetters } from "./redact-letters.ts";
import { redactQueueLetters } from "./redact-queue-letters.ts";

const deletionsMax = 20;

/** Where its rounds go on: through the unsendings, our dead letters, QStash's. Each begins again after its end. */
const lastSchema = v.object({
  unsendingId: v.fallback(v.nullable(v.number()), null),
  letterId: v.fallback(v.nullable(v.number()), null),
  cursor: v.fallback(v.nullable(v.string()), null),
});
type Rounds = v.InferOutput<typeof lastSchema>;

export interface ContinueErasuresOptions extends CarryOutOptions {
  log: Log;
  unsentMessages: "erase" | "keep";
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
  const { db, api, clock } = options;
  const rounds: Rounds = v.parse(lastSchema, v.is(v.object({}), last) ? last : {});
  const completed = await continueDeletions(options, deadlineMs);
  const unsent = options.unsentMessages === "keep" ? 0 : await eraseUnsentTexts(options, rounds);
  await forgetErasedPeople(db);
  const done = { completed, unsent };
  if (clock.monotonicMs() >= deadlineMs || !(await isAnythingErased(db))) return { ...done, ...rounds };

  const { redacted, afterId } = await redactLetters(options, rounds.letterId ?? 0, deadlineMs);
  rounds.letterId = afterId;
  if (api === null || api === "unused" || clock.monotonicMs() >= deadlineMs) return { ...done, redacted, ...rounds };
  const { deleted, cursor } = await redactQueueLetters({ db, api, clock }, rounds.cursor, deadlineMs);
  return { ...done, redacted, deleted, ...rounds, cursor };
}

async function eraseUnsentTexts({ db }: ContinueErasuresOptions, rounds: Rounds): Promise<number> {
  const recently = await eraseRecentlyUnsent(db);
  const { erased, afterId } = await eraseUnsentAfter(db, rounds.unsendingId ?? 0);
  rounds.unsendingId = afterId;
  return recently + erased;
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
