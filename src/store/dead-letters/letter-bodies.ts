import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";

export interface LetterBody {
  id: number;
  body: Uint8Array;
}

/** The bytes of the next dead letters that have any, in the order of their ids. Throws `STORE_UNAVAILABLE`. */
export async function readLetterBodies(db: Database, afterId: number, limit: number): Promise<LetterBody[]> {
  const { rows } = await withStoreErrors(() =>
    db.$client.query<{ id: string; body: Buffer }>(
      "select id, body from relay.dead_letters where body is not null and id > $1 order by id limit $2",
      [afterId, limit],
    ),
  );
  return rows.map(({ id, body }) => ({ id: Number(id), body }));
}

/** What a dead letter says whose bytes were dropped. */
const droppedNote = "Its bytes held erased data and could not be decoded, so they were dropped";

/** Replaces a dead letter's bytes; null drops them, which the letter then says. Throws `STORE_UNAVAILABLE`. */
export async function replaceLetterBody(db: Database, id: number, body: Uint8Array | null): Promise<void> {
  await withStoreErrors(() =>
    body === null
      ? db.$client.query(
          "update relay.dead_letters set body = null, body_whole = false, error_message = $2 where id = $1",
          [id, droppedNote],
        )
      : db.$client.query(
          "update relay.dead_letters set body = $2, body_whole = true where id = $1 and body is not null",
          [id, body],
        ),
  );
}
