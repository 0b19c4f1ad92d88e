// QStash's variables, apart from the other queues', so that the edge function holds only those of its own queue.
import { integer, optional, parseBaseUrl, token } from "../webhook-env.ts";

/** What publishing to QStash needs. */
export const qstashPublisherVariables = {
  QSTASH_TOKEN: token,
  QSTASH_URL: { parse: parseBaseUrl, fallback: () => "https://qstash.upstash.io" },
  QSTASH_RETRIES: integer(5, 0, 1_000),
  INGESTION_PARALLELISM: optional(integer(1, 1, 10_000)),
};
