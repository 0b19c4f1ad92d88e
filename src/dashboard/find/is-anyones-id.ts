import { sql, type SQL } from "drizzle-orm";

/** Nearly every event has its account as the recipient: the index has the others. */
const conditions = {
  account_id: sql`true`,
  sender_id: sql`true`,
  recipient_id: sql`recipient_id <> account_id`,
};

/**
 * SQL: whether an event has this id in the column. It asks for the next one in the order of the index: for an equality the
 * planner may read the whole table, because it expects a frequent id to come soon.
 */
export function isAnyonesId(name: keyof typeof conditions, id: SQL): SQL {
  const column = sql.identifier(name);
  return sql`coalesce((
    select ${column} from relay.events where ${column} >= ${id} and ${conditions[name]} order by ${column} limit 1
  ) = ${id}, false)`;
}
