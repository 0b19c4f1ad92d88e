import type { Client } from "pg";

import { makeRowsNow } from "./store-rows.ts";

/** What some of the rows have. */
export const listRows = {
  rareAccount: "17841400000000002",
  rareText: "Zeppelin 100%",
  sender: "6001",
} as const;

/** Ids that questions ask for. */
export interface ListRows {
  deliveryId: string;
  messageId: string;
  key: string;
}

const dead = 40;
const open = 200;

/** So many events, evenly spread, are comments of another account that drifted, or of one sender, and so many deliveries were lost. */
const rare = 500;

/**
 * Rows of which few differ, equally many however many rows there are; but one in a hundred deliveries came to Node in another
 * region. One event, among the oldest, has a rare text.
 */
export async function makeListRows(
  client: Client,
  rows: number,
  onProgress: (made: number) => void,
): Promise<ListRows> {
  await makeRowsNow(client, rows, onProgress);
  const every = Math.ceil(rows / rare);
  await client.query(
    `update relay.events set kind = 'comment', account_id = $1, drifted = true where id % ${every} = 7`,
    [listRows.rareAccount],
  );
  await client.query(`update relay.events set sender_id = $1 where id % ${every} = 11`, [listRows.sender]);
  await client.query(
    `update relay.events set data = json_build_object('message', json_build_object('text', $1::text))
      where id = (select min(id) + 3 from relay.events)`,
    [listRows.rareText],
  );
  await client.query(`update relay.deliveries set runtime = 'nodejs', region = 'iad1' where first_event_id % 100 = 3`);
  await client.query(`update relay.deliveries set outcome = 'lost', error_type = 'PUBLISH_TIMEOUT', via = null,
    ingested_at = null where first_event_id % ${every} = 5`);
  await client.query(
    `insert into relay.event_work (event_id, delivery_id, batch_index, attempts, next_attempt_at, kind, state, error_name, first_failed_at)
      select id, delivery_id, 0, 9, now(), kind, case when row_number() over (order by id) <= $1 then 'dead' else 'open' end,
        case when row_number() over (order by id) <= $1 then 'TypeError' end,
        case when row_number() over (order by id) <= $1 then now() end
      from (select * from relay.events where id % 37 = 0 order by id desc limit $2) e`,
    [dead, dead + open],
  );
  const { rows: groups } = await client.query<{ id: string }>(
    `insert into relay.dead_letter_groups (fingerprint, cause, first_at) values ('bench', 'handler', now()) returning id`,
  );
  await client.query(
    `insert into relay.dead_letters (source, source_id, group_id, event_id)
      select 'handler', event_id, $1, event_id from relay.event_work where state = 'dead'`,
    [groups[0]?.id],
  );
  await client.query("vacuum analyze");
  const { rows: found } = await client.query<ListRows>(
    `select d.id as "deliveryId", d.message_id as "messageId", e.key
      from relay.deliveries d join relay.events e on e.id = d.first_event_id where e.id = $1`,
    [Math.floor(rows / 2)],
  );
  const [ids] = found;
  if (ids === undefined) throw new Error("There is no row in the middle");
  return ids;
}
