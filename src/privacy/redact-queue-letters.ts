import * as v from "valibot";

import { bytesFromBase64 } from "#platform/bytes.ts";
import type { Clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import { parseJson, parseJsonObject } from "#platform/parse-json.ts";
import { isSuccess, type QstashApi } from "#platform/qstash-api.ts";
import { describeDeadBatch } from "#queue/dead-batch.ts";
import type { Database } from "#store/database.ts";
import { saveBatchLetter } from "#store/dead-letters.ts";
import { findErased } from "#store/find-erased.ts";

import { redactBatch } from "./redact-batch.ts";

/** A message has up to 600 kB, and a failure callback repeats one in base64. */
export const queueLettersPerStep = 20;
export const queueAnswerBytesMax = 32_000_000;

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
type QueueLetter = v.InferOutput<typeof listSchema>["messages"][number];

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
    const query = new URLSearchParams({
      count: String(queueLettersPerStep),
      ...(step.cursor !== null && { cursor: step.cursor }),
    });
    const page = v.safeParse(listSchema, parseJson(await ask(options.api, "GET", `/v2/dlq?${query}`)));
    if (!page.success) throw new RelayError("QSTASH_UNAVAILABLE", "QStash's list of dead letters is not as documented");
    for (const letter of page.output.messages) {
      if (!(await keepRest(letter, options))) continue;
      await ask(options.api, "DELETE", `/v2/dlq/${encodeURIComponent(letter.dlqId)}`);
      step.deleted += 1;
    }
    // An empty cursor is the end, too.
    step.cursor = page.output.cursor || null;
  } while (step.cursor !== null && options.clock.monotonicMs() < deadlineMs);
  return step;
}

/** Whether the letter holds what was erased; then what else a batch holds is kept. */
async function keepRest(letter: QueueLetter, { db, clock }: QueueLettersOptions): Promise<boolean> {
  const body =
    letter.bodyBase64 === undefined ? new TextEncoder().encode(letter.body) : bytesFromBase64(letter.bodyBase64);
  const redact = (bytes: Uint8Array) => redactBatch(bytes, (hashes) => findErased(db, hashes));
  const redaction = await redact(body);
  if (redaction.outcome === "redacted") {
    const { dlqId, messageId, url, responseStatus: status, responseBody: answer, maxRetries: retried } = letter;
    const rest = {
      dlqId,
      messageId,
      url,
      status,
      answer,
      retried,
      body: redaction.body,
      isWhole: true,
      deployment: null,
    };
    await saveBatchLetter(db, describeDeadBatch(rest, clock.nowMs()));
  }
  if (redaction.outcome !== "whole") return true;
  // A failure callback that was given up itself; the batch that it repeats has a letter of its own.
  const { sourceBody } = parseJsonObject(new TextDecoder().decode(body));
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

/** The answer's text. What is gone already (404) is as good as deleted. */
async function ask(api: QstashApi, method: "GET" | "DELETE", path: string): Promise<string> {
  try {
    const { status, text } = await api(method, path);
    if (isSuccess(status) || (method === "DELETE" && status === 404)) return text;
    throw new RelayError("QSTASH_UNAVAILABLE", `QStash answered ${status}`);
  } catch (thrown) {
    if (thrown instanceof RelayError) throw thrown;
    throw new RelayError("QSTASH_UNAVAILABLE", "QStash cannot be reached", { cause: thrown });
  }
}
