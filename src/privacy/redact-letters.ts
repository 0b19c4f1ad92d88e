import type { Clock } from "#platform/clock.ts";
import type { Database } from "#store/connection/database.ts";
import { readLetterBodies, replaceLetterBody } from "#store/dead-letters/letter-bodies.ts";
import { findErased } from "#store/erasure/find-erased.ts";

import { redactBatch } from "./redact-batch.ts";

/** A body has up to 600 kB. */
const lettersPerStep = 20;

export interface LettersStep {
  redacted: number;
  /** Letters up to this id are done; null after the last. */
  afterId: number | null;
}

/**
 * Takes what was erased out of the bytes of our dead letters, from `afterId` on and until `deadlineMs` of the monotonic
 * clock. Throws `STORE_UNAVAILABLE`.
 */
export async function redactLetters(
  { db, clock }: { db: Database; clock: Clock },
  afterId: number,
  deadlineMs: number,
): Promise<LettersStep> {
  let redacted = 0;
  for (let after = afterId; ;) {
    const letters = await readLetterBodies(db, after, lettersPerStep);
    for (const { id, body } of letters) {
      const redaction = await redactBatch(body, (hashes) => findErased(db, hashes));
      if (redaction.outcome === "whole") continue;
      await replaceLetterBody(db, id, redaction.outcome === "redacted" ? redaction.body : null);
      redacted += 1;
    }
    if (letters.length < lettersPerStep) return { redacted, afterId: null };
    after = letters.at(-1)?.id ?? after;
    if (clock.monotonicMs() >= deadlineMs) return { redacted, afterId: after };
  }
}
