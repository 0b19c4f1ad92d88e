import { bytesFromBase64 } from "#platform/bytes.ts";
import type { Clock } from "#platform/clock.ts";
import { parseJsonObject } from "#platform/parse-json.ts";
import type { QstashApi } from "#platform/qstash-api.ts";
import { describeDeadBatch } from "#queue/dead-batch.ts";
import { askQstash } from "#queue/qstash/ask-qstash.ts";
import { type ListedLetter, readDeadLetterPage } from "#queue/qstash/dead-letter-page.ts";
import type { Database } from "#store/connection/database.ts";
import { saveBatchLetter } from "#store/dead-letters/dead-letters.ts";
import { findErased } from "#store/erasure/find-erased.ts";

import { redactBatch } from "./redact-batch.ts";

/** The size of a page, in bytes: a message has up to 600 kB, and a failure callback repeats one in base64. */
export const queueAnswerBytesMax = 32_000_000;

export interface QueueLettersOptions {
  db: Database;
  /** Its answers have up to `queueAnswerBytesMax`. */
  api: QstashApi;
  clock: Clock;
}

export interface QueueLettersStep {
  deleted: number;
  /** Where QStash's list goes on; null after its end. */
  cursor: string | null;
}

/**
 * Deletes QStash's own dead letters that hold what was erased; before, the rest of such a batch is kept as a dead letter of
 * ours. From `cursor` on, at least one page, and until `deadlineMs` of the monotonic clock. A message that waits cannot be
 * changed there, and deleting it would lose other people's events: the consumer erases on arrival. Throws
 * `QSTASH_UNAVAILABLE` and `STORE_UNAVAILABLE`.
 */
export async function redactQueueLetters(
  options: QueueLettersOptions,
  cursor: string | null,
  deadlineMs: number,
): Promise<QueueLettersStep> {
  const step: QueueLettersStep = { deleted: 0, cursor };
  do {
    const page = await readDeadLetterPage(options.api, step.cursor);
    for (const letter of page.letters) {
      if (!(await keepRest(letter, options))) continue;
      // One that is gone already is as good as deleted.
      await askQstash(options.api, "DELETE", `/v2/dlq/${encodeURIComponent(letter.dlqId)}`);
      step.deleted += 1;
    }
    step.cursor = page.cursor;
  } while (step.cursor !== null && options.clock.monotonicMs() < deadlineMs);
  return step;
}

/** Whether the letter holds what was erased; then what else a batch holds is kept. */
async function keepRest(letter: ListedLetter, { db, clock }: QueueLettersOptions): Promise<boolean> {
  const redact = (bytes: Uint8Array) => redactBatch(bytes, (hashes) => findErased(db, hashes));
  const redaction = await redact(letter.body);
  if (redaction.outcome === "redacted") {
    await saveBatchLetter(db, describeDeadBatch({ ...letter, body: redaction.body }, clock.nowMs()));
  }
  if (redaction.outcome !== "whole") return true;
  // A failure callback that was given up itself; the batch that it repeats has a letter of its own.
  const { sourceBody } = parseJsonObject(new TextDecoder().decode(letter.body));
  const source = typeof sourceBody === "string" ? decodeBase64(sourceBody) : undefined;
  return source !== undefined && (await redact(source)).outcome !== "whole";
}

function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return bytesFromBase64(text);
  } catch {
    return undefined;
  }
}
