import { sql } from "drizzle-orm";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { inTransaction } from "../connection/transaction.ts";
import { selectedLetters } from "./replay-filter.ts";
import type { Replay } from "./replays.ts";

/** A batch that was never ingested, to be published again. */
export interface LetterToReplay {
  id: number;
  body: string;
}

/**
 * Takes the next never ingested batches of a running replay and notes that they are its own; empty after the last. Their
 * publishing may be repeated: ingestion stores each event once. Undefined if the replay does not run. Throws
 * `STORE_UNAVAILABLE`.
 */
export async function takeReplayLetters(
  db: Database,
  replay: Replay,
  limit: number,
): Promise<LetterToReplay[] | undefined> {
  return withStoreErrors(() =>
    inTransaction(db, async (tx) => {
      const { rows: running } = await tx.execute<{ cursor: number }>(
        sql`select cursor::float8 as cursor from relay.replays where id = ${replay.id} and state = 'running' for update`,
      );
      const cursor = running[0]?.cursor;
      if (cursor === undefined) return undefined;
      const selected = selectedLetters(replay);
      if (cursor >= 0 || selected === undefined) return [];
      const { rows } = await tx.execute<{ id: number; body: string }>(sql`
        select l.id::float8 as id, convert_from(l.body, 'UTF8') as body ${selected} and l.id < ${-cursor} order by l.id desc limit ${limit}`);
      const ids = rows.map(({ id }) => id);
      await tx.execute(
        sql`update relay.dead_letters set resolved_by = ${replay.id} where id = any(${sql.param(ids)}::bigint[]) and resolved_at is null`,
      );
      await tx.execute(sql`update relay.replays set cursor = ${-(ids.at(-1) ?? 0)} where id = ${replay.id}`);
      return rows;
    }),
  );
}

/** The newest dead letter, as the bound of a replay's batches; 0 without any. Throws `STORE_UNAVAILABLE`. */
export async function readLastLetterId(db: Database): Promise<number> {
  const { rows } = await withStoreErrors(() =>
    db.execute<{ last: number }>(sql`select coalesce(max(id), 0)::float8 as last from relay.dead_letters`),
  );
  return rows[0]?.last ?? 0;
}

/** Leaves batches that could not be published to another replay. Throws `STORE_UNAVAILABLE`. */
export async function releaseReplayLetters(db: Database, ids: readonly number[]): Promise<void> {
  await withStoreErrors(() =>
    db.execute(sql`
      update relay.dead_letters set resolved_by = null
      where id = any(${sql.param([...ids])}::bigint[]) and resolved_at is null`),
  );
}
