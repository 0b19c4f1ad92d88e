import * as v from "valibot";

import type { Clock } from "#platform/clock.ts";
import { bytesFromBase64 } from "#platform/bytes.ts";
import { type QstashApi } from "#platform/qstash-api.ts";
import { describeDeadBatch } from "#queue/dead-batch.ts";
import type { Database } from "#store/database.ts";
import { findKnownMessages, saveBatchLetter } from "#store/dead-letters.ts";

import { askQstash } from "./ask-qstash.ts";

/** https://upstash.com/docs/qstash/api/dlq/listMessages */
const listSchema = v.object({
  messages: v.array(
    v.object({
      dlqId: v.string(),
      messageId: v.string(),
      url: v.fallback(v.string(), ""),
      body: v.optional(v.string()),
      bodyBase64: v.optional(v.string()),
      responseStatus: v.fallback(v.number(), 0),
      responseBody: v.fallback(v.string(), ""),
      maxRetries: v.fallback(v.number(), 0),
    }),
  ),
  cursor: v.nullish(v.string()),
});

/** A message has up to 600 kB. */
const pageSize = 20;

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
  let cursor = v.is(v.object({ cursor: v.string() }), last) ? last.cursor : undefined;
  let seen = 0;
  let recorded = 0;
  do {
    const query = new URLSearchParams({ count: String(pageSize), ...(cursor === undefined ? {} : { cursor }) });
    const page = v.parse(listSchema, await askQstash(api, "GET", `/v2/dlq?${query}`));
    const ours = page.messages.filter(({ url }) => urls.includes(url));
    const known = await findKnownMessages(
      db,
      ours.map(({ messageId }) => messageId),
    );
    for (const { dlqId, messageId, url, ...entry } of ours.filter((letter) => !known.has(letter.messageId))) {
      const body = entry.bodyBase64 === undefined ? Buffer.from(entry.body ?? "") : bytesFromBase64(entry.bodyBase64);
      const given = { dlqId, messageId, url, status: entry.responseStatus, answer: entry.responseBody, body };
      const letter = { ...given, retried: entry.maxRetries, isWhole: true, deployment: null };
      if (await saveBatchLetter(db, describeDeadBatch(letter, clock.nowMs()))) recorded += 1;
    }
    seen += ours.length;
    cursor = page.cursor === "" ? undefined : (page.cursor ?? undefined);
  } while (cursor !== undefined && clock.monotonicMs() < deadlineMs);
  return { seen, recorded, ...(cursor === undefined ? {} : { cursor }) };
}
