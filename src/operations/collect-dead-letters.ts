import * as v from "valibot";

import type { Clock } from "#platform/clock.ts";
import type { QstashApi } from "#platform/qstash-api.ts";
import { describeDeadBatch } from "#queue/dead-batch.ts";
import { readDeadLetterPage } from "#queue/qstash/dead-letter-page.ts";
import type { Database } from "#store/connection/database.ts";
import { findKnownMessages, saveBatchLetter } from "#store/dead-letters/dead-letters.ts";

export interface CollectOptions {
  db: Database;
  api: QstashApi;
  /** The addresses that batches are published to. */
  urls: readonly string[];
  clock: Clock;
}

/**
 * Reads QStash's own list of dead letters: what we have no record of is recorded with its bytes, and what we have only a
 * part of gets them. Begins after the page at which the last call ran out of time. Throws `QSTASH_UNAVAILABLE`.
 */
export async function collectDeadLetters({ db, api, urls, clock }: CollectOptions, deadlineMs: number, last: unknown) {
  let cursor = v.is(v.object({ cursor: v.string() }), last) ? last.cursor : null;
  let seen = 0;
  let recorded = 0;
  do {
    const page = await readDeadLetterPage(api, cursor);
    const ours = page.letters.filter(({ url }) => urls.includes(url));
    const known = await findKnownMessages(
      db,
      ours.map(({ messageId }) => messageId),
    );
    for (const letter of ours.filter(({ messageId }) => !known.has(messageId))) {
      if (await saveBatchLetter(db, describeDeadBatch(letter, clock.nowMs()))) recorded += 1;
    }
    seen += ours.length;
    cursor = page.cursor;
  } while (cursor !== null && clock.monotonicMs() < deadlineMs);
  return { seen, recorded, ...(cursor === null ? {} : { cursor }) };
}
