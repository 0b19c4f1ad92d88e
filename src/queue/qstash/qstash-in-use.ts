import type { EnvRecord } from "#platform/env.ts";
import type { QueueName } from "#platform/queue-name.ts";

/**
 * What `open` gives, or null if QStash has nothing of ours: another queue is used, and QStash's token is not set. While it is
 * set, what was published before a switch is looked after. Throws what `open` throws.
 */
export function ifQstashIsUsed<T>(record: EnvRecord, queue: QueueName, open: () => T): T | null {
  return queue === "qstash" || Boolean(record["QSTASH_TOKEN"]?.trim()) ? open() : null;
}
