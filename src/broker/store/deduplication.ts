import { type Connection, deduplicationMs, type NewMessage } from "./message-rows.ts";

/**
 * Claims the deduplication ids of a batch and resolves with its duplicates, each with the id of the message it repeats.
 * One statement claims them all in the order of the ids: two batches with the same ids in another order wait for each
 * other instead of deadlocking.
 */
export async function claimDeduplicationIds(
  connection: Connection,
  messages: readonly NewMessage[],
): Promise<ReadonlyMap<NewMessage, string>> {
  const claims = new Map<string, NewMessage>();
  for (const message of messages) {
    const { deduplicationId } = message;
    if (deduplicationId !== null && !claims.has(deduplicationId)) claims.set(deduplicationId, message);
  }
  const duplicates = new Map<NewMessage, string>();
  const sorted = [...claims].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const first = sorted[0]?.[1];
  if (!first) return duplicates;

  const { rows } = await connection.query<{ id: string; holder: string }>({
    name: "claim-deduplication-ids",
    text: claimSql,
    values: [
      sorted.map(([id]) => id),
      sorted.map(([, message]) => message.messageId),
      first.createdAtMs,
      deduplicationMs,
    ],
  });
  const holders = new Map(rows.map(({ id, holder }) => [id, holder]));
  for (const message of messages) {
    const holder = holders.get(message.deduplicationId ?? "");
    if (holder !== undefined && holder !== message.messageId) duplicates.set(message, holder);
  }
  return duplicates;
}

const claimSql = `
  insert into deduplications as held (deduplication_id, message_id, expires_at_ms)
  select id, message_id, $3::bigint + $4::bigint from unnest($1::text[], $2::text[]) as claim (id, message_id)
  on conflict (deduplication_id) do update set
    message_id = case when held.expires_at_ms <= $3::bigint then excluded.message_id else held.message_id end,
    expires_at_ms = case when held.expires_at_ms <= $3::bigint then excluded.expires_at_ms else held.expires_at_ms end
  returning deduplication_id as id, message_id as holder`;
