import * as v from "valibot";

import { bytesFromBase64 } from "#platform/bytes.ts";
import { RelayError } from "#platform/errors.ts";
import type { QstashApi } from "#platform/qstash-api.ts";

import { askQstash } from "./ask-qstash.ts";
import type { GivenUp } from "../dead-batch.ts";

/** https://upstash.com/docs/qstash/api/dlq/listMessages */
const pageSchema = v.object({
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

/** One of QStash's own dead letters, as its list tells it: with the whole body. */
export type ListedLetter = GivenUp & { dlqId: string };

export interface DeadLetterPage {
  letters: ListedLetter[];
  /** Where the list goes on; null after its end. */
  cursor: string | null;
}

/**
 * One page of QStash's own list of dead letters, from `cursor` on or from the beginning. Throws `QSTASH_UNAVAILABLE`, also
 * for an answer that is no such list.
 */
export async function readDeadLetterPage(api: QstashApi, cursor: string | null): Promise<DeadLetterPage> {
  const query = new URLSearchParams({ count: String(pageSize), ...(cursor === null ? {} : { cursor }) });
  const page = v.safeParse(pageSchema, await askQstash(api, "GET", `/v2/dlq?${query}`));
  if (!page.success) throw new RelayError("QSTASH_UNAVAILABLE", "QStash's list of dead letters is not as documented");
  const letters = page.output.messages.map((entry) => ({
    dlqId: entry.dlqId,
    messageId: entry.messageId,
    url: entry.url,
    status: entry.responseStatus,
    answer: entry.responseBody,
    retried: entry.maxRetries,
    body: bodyOf(entry),
    isWhole: true,
    deployment: null,
  }));
  // An empty cursor is the end, too.
  return { letters, cursor: page.output.cursor || null };
}

function bodyOf({ body = "", bodyBase64 }: v.InferOutput<typeof pageSchema>["messages"][number]): Uint8Array {
  return bodyBase64 === undefined ? new TextEncoder().encode(body) : bytesFromBase64(bodyBase64);
}
