import type { EnvRecord } from "./webhook-env.ts";
import type { Log } from "./log.ts";
import { type QueueName, queueNames } from "./queue-name.ts";

/** That QUEUE names another queue than the build has, in one sentence; null if it does not. A missing one names the default. */
export function describeOtherQueue(record: EnvRecord, built: QueueName): string | null {
  const named = record["QUEUE"]?.trim() || queueNames[0];
  if (named === built) return null;
  return `this build was made for ${built}, and QUEUE names another queue: it decides only while building`;
}

/**
 * Says as the process starts that it publishes to another queue than QUEUE names. Without this line nothing would show it
 * while the variables of both queues are set.
 */
export function warnOfOtherQueue(record: EnvRecord, built: QueueName, log: Log): void {
  const reason = describeOtherQueue(record, built);
  if (reason !== null) log.warn("queue.differs", { queue: built, reason });
}
