import type { RelayError } from "#platform/errors.ts";
import { describeDeadBatch } from "#queue/dead-batch.ts";
import { qstashPath } from "#queue/qstash/qstash-path.ts";
import type { QueueCall } from "#queue/queue-call.ts";
import type { Database } from "#store/connection/database.ts";
import { saveBatchLetter } from "#store/dead-letters/dead-letters.ts";
import { hashUuid } from "#store/ingest/delivery-uuid.ts";

/** A message that is no batch, whole. */
export interface UndecodableMessage extends Pick<QueueCall, "bytes" | "messageId" | "retried" | "atMs"> {
  error: RelayError;
}

export interface SaveUndecodableOptions {
  db: Database;
  /** Our public addresses, the published one first, and the consumer's path there. */
  relayUrls: readonly string[];
  path: string;
  deployment: string | null;
}

/** Keeps a message that is no batch as a dead letter, with its bytes, once. Throws `STORE_UNAVAILABLE`. */
export async function saveUndecodable(
  { bytes, messageId, retried, atMs, error }: UndecodableMessage,
  { db, relayUrls, path, deployment }: SaveUndecodableOptions,
): Promise<void> {
  const letter = describeDeadBatch(
    {
      dlqId: null,
      messageId: messageId ?? hashUuid(new TextDecoder().decode(bytes)),
      url: `${relayUrls[0] ?? ""}${path}`,
      status: error.status,
      answer: JSON.stringify({ error: { code: error.code } }),
      retried,
      body: bytes,
      isWhole: true,
      deployment,
    },
    atMs,
  );
  // Only QStash keeps a copy of what it is told to give up.
  const hasCopy = path === qstashPath("instagram-ingestion");
  await saveBatchLetter(db, hasCopy ? letter : { ...letter, expiresAtMs: null });
}
