import { deliveryIdPattern } from "#platform/delivery.ts";
import type { RelayError } from "#platform/errors.ts";
import type { QstashCall } from "#queue/answer-qstash.ts";
import type { Database } from "#store/database.ts";
import { saveBatchLetter } from "#store/dead-letters.ts";
import { hashUuid } from "#store/delivery-uuid.ts";

/** A message that is no batch, whole. */
export interface UndecodableMessage extends Pick<QstashCall, "bytes" | "messageId" | "retried" | "atMs"> {
  error: RelayError;
}

export interface SaveUndecodableOptions {
  db: Database;
  /** The consumer's address. */
  url: string;
  deployment: string | null;
}

/** Keeps a message that is no batch as a dead letter, with its bytes, once. Throws `STORE_UNAVAILABLE`. */
export async function saveUndecodable(
  { bytes, messageId, retried, atMs, error }: UndecodableMessage,
  { db, url, deployment }: SaveUndecodableOptions,
): Promise<void> {
  await saveBatchLetter(db, {
    cause: "undecodable",
    dlqId: null,
    messageId: messageId ?? hashUuid(new TextDecoder().decode(bytes)),
    deliveryId: findDeliveryId(bytes),
    batchIndex: null,
    url,
    status: error.status,
    attempts: retried + 1,
    errorName: error.name,
    errorCode: error.code,
    deployment,
    body: bytes,
    bodyWhole: true,
    failedAtMs: atMs,
    expiresAtMs: null,
  });
}

/** Our encoding, of any version, starts with the delivery's id. */
function findDeliveryId(bytes: Uint8Array): string | null {
  const start = new TextDecoder().decode(bytes.subarray(0, 300));
  const id = /^\{"version":\d+,"delivery":\{"id":"([^"]+)"/.exec(start)?.[1];
  return id !== undefined && deliveryIdPattern.test(id) ? id : null;
}
