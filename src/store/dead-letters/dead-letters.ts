// Dead letters of batches: what QStash gave up, and what the consumer could not decode.
import { createHash } from "node:crypto";

import { sql } from "drizzle-orm";

import type { DeadBatch } from "#platform/dead-batch.ts";

import type { Database } from "../connection/database.ts";
import { storableInstant, storableText } from "../connection/storable.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { deliveryUuid } from "../ingest/delivery-uuid.ts";

/**
 * Records that a batch was given up; returns whether that is news. The failure callback, QStash's own list, the consumer and
 * a retry of the same message all lead to one row: its id is the batch's place in its delivery where the body says it, else
 * the message's id. A later failure of the same batch opens a resolved row again. Throws `STORE_UNAVAILABLE`.
 */
export async function saveBatchLetter(db: Database, letter: DeadBatch): Promise<boolean> {
  return withStoreErrors(async () => {
    const groupId = await findGroup(db, letter);
    const found = await findLetter(db, letter);
    const sourceId = found?.sourceId ?? sourceIdOf(letter);
    const failedAt = (storableInstant(letter.failedAtMs) ?? new Date(0)).toISOString();
    const expiresAt = storableInstant(letter.expiresAtMs)?.toISOString() ?? null;
    const { rows } = await db.execute<{ inserted: boolean }>(sql`
      insert into relay.dead_letters as l (source, source_id, group_id, recorded_at, delivery_id, batch_index, message_id, dlq_id,
        url, status, attempts, error_name, error_code, deployment, body, body_whole, expires_at)
      values ('qstash', ${sourceId}, ${groupId}, ${failedAt}::timestamptz, ${letter.deliveryId === null ? null : deliveryUuid(letter.deliveryId)},
        ${letter.batchIndex}, ${storableText(letter.messageId)}, ${letter.dlqId === null ? null : storableText(letter.dlqId)},
        ${storableText(letter.url)}, ${smallint(letter.status)}, ${smallint(letter.attempts)}, ${letter.errorName}, ${letter.errorCode},
        ${letter.deployment}, ${letter.body}, ${letter.bodyWhole}, ${expiresAt}::timestamptz)
      on conflict (source, source_id) do update set
        dlq_id = coalesce(excluded.dlq_id, l.dlq_id),
        attempts = greatest(l.attempts, excluded.attempts),
        expires_at = coalesce(excluded.expires_at, l.expires_at),
        body = case when l.resolved_at is not null and not ${isNews} then l.body
          when l.body_whole and l.body is not null then l.body else coalesce(excluded.body, l.body) end,
        body_whole = case when l.resolved_at is not null and not ${isNews} then l.body_whole
          else l.body_whole or coalesce(excluded.body_whole, false) end,
        message_id = case when ${isNews} then excluded.message_id else l.message_id end,
        group_id = case when ${isNews} then excluded.group_id else l.group_id end,
        recorded_at = case when ${isNews} then excluded.recorded_at else l.recorded_at end,
        status = case when ${isNews} then excluded.status else l.status end,
        error_name = case when ${isNews} then excluded.error_name else l.error_name end,
        error_code = case when ${isNews} then excluded.error_code else l.error_code end,
        resolved_at = case when ${isNews} then null else l.resolved_at end,
        resolved_by = case when ${isNews} and l.resolved_at is not null then null else l.resolved_by end
      returning (xmax = 0) as inserted`);
    const isLater = found !== undefined && letter.failedAtMs > found.failedAtMs;
    return rows[0]?.inserted === true || (isLater && found.messageId !== storableText(letter.messageId));
  });
}

/** Another message with the batch was given up later. The same failure, heard of again, is no news. */
const isNews = sql`(excluded.message_id <> l.message_id and excluded.recorded_at > l.recorded_at)`;

/** The rows of earlier releases have the dead letter's or the message's id. */
async function findLetter(db: Database, letter: DeadBatch) {
  const ids = [sourceIdOf(letter), storableText(letter.messageId), storableText(letter.dlqId ?? "")];
  const { rows } = await db.execute<{ sourceId: string; messageId: string | null; failedAtMs: number }>(sql`
    select source_id as "sourceId", message_id as "messageId", extract(epoch from recorded_at)::float8 * 1000 as "failedAtMs"
    from relay.dead_letters where source = 'qstash' and source_id = any(${sql.param(ids)}::text[]) order by id limit 1`);
  return rows[0];
}

function sourceIdOf({ deliveryId, batchIndex, messageId }: DeadBatch): string {
  if (deliveryId === null || batchIndex === null) return storableText(messageId);
  return `${deliveryUuid(deliveryId)}/${batchIndex}`;
}

async function findGroup(db: Database, { cause, errorName, errorCode, failedAtMs, deployment }: DeadBatch) {
  const fingerprint = createHash("sha256").update([cause, errorName, errorCode, "", ""].join("|")).digest("hex");
  const read = sql`select id from relay.dead_letter_groups where fingerprint = ${fingerprint}`;
  const firstAt = (storableInstant(failedAtMs) ?? new Date(0)).toISOString();
  const found = (await db.execute<{ id: string }>(read)).rows[0];
  if (found !== undefined) return found.id;
  await db.execute(sql`
    insert into relay.dead_letter_groups (fingerprint, cause, error_name, error_code, first_at, first_deployment)
    values (${fingerprint}, ${cause}, ${errorName}, ${errorCode}, ${firstAt}::timestamptz, ${deployment})
    on conflict (fingerprint) do nothing`);
  return (await db.execute<{ id: string }>(read)).rows[0]?.id ?? null;
}

/** Of these QStash messages the ones whose whole body is stored, or was before the letter was resolved. Throws `STORE_UNAVAILABLE`. */
export async function findKnownMessages(db: Database, messageIds: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await withStoreErrors(() =>
    db.execute<{ messageId: string }>(sql`
      select message_id as "messageId" from relay.dead_letters
      where message_id = any(${sql.param([...messageIds])}::text[]) and (body_whole or resolved_at is not null)`),
  );
  return new Set(rows.map(({ messageId }) => messageId));
}

/**
 * Resolves the letters whose batch is ingested by now, by a replay, by QStash's own retry or otherwise, and drops their
 * bytes; returns how many. Throws `STORE_UNAVAILABLE`.
 */
export async function resolveIngestedLetters(db: Database): Promise<number> {
  const { rowCount } = await withStoreErrors(() =>
    db.execute(sql`
      update relay.dead_letters l set resolved_at = now(), resolved_by = coalesce(l.resolved_by, 'ingested'), body = null
      where l.resolved_at is null and l.source = 'qstash' and l.delivery_id is not null and (
        exists (select from relay.deliveries d where d.id = l.delivery_id and d.ingested_at is not null
          and (l.batch_index = 0 or (l.batch_index is null and d.batches = 1)))
        or exists (select from relay.delivery_batches b where b.delivery_id = l.delivery_id and b.batch_index = l.batch_index))`),
  );
  return rowCount ?? 0;
}

/**
 * Drops the bytes of letters whose group an operator resolved a week ago: until then the decision can be taken back.
 * Throws `STORE_UNAVAILABLE`.
 */
export async function dropResolvedBytes(db: Database): Promise<number> {
  const { rowCount } = await withStoreErrors(() =>
    db.execute(sql`
      update relay.dead_letters l set body = null, body_whole = false from relay.dead_letter_groups g
      where g.id = l.group_id and g.state = 'resolved' and g.resolved_at < now() - interval '7 days'
        and l.body is not null and l.recorded_at <= g.resolved_at`),
  );
  return rowCount ?? 0;
}

function smallint(value: number): number {
  return Math.min(32_767, Math.max(-1, Math.round(value) || 0));
}
