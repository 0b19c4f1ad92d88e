// How often messages of a queue elsewhere were tried, where that queue counts takings that met an outage, too.
import type { Database } from "../connection/database.ts";
import { defineStatement, runStatement } from "../connection/named-statement.ts";
import { withStoreErrors } from "../connection/store-error.ts";

const parameters = { queue: "text", messageIds: "text[]", oldDays: "integer" } as const;
type Name = keyof typeof parameters;

/** No queue keeps a message longer: what is older belongs to none. */
const oldDays = 15;

const count = defineStatement<Name>(
  `with old as (
    delete from relay.queue_takings
    where last_at < now() - make_interval(days => :oldDays) and message_id <> all(:messageIds)
  )
  insert into relay.queue_takings as t (queue, message_id, takings)
  select distinct :queue, message_id, 1 from unnest(:messageIds) message_id order by message_id
  on conflict (queue, message_id) do update set takings = least(t.takings + 1, 32767), last_at = now()
  returning message_id as "messageId", takings`,
  parameters,
);
const uncount = defineStatement<Name>(
  `update relay.queue_takings set takings = greatest(takings - 1, 0)
  where queue = :queue and message_id = any(:messageIds)`,
  parameters,
);
const forget = defineStatement<Name>(
  "delete from relay.queue_takings where queue = :queue and message_id = any(:messageIds)",
  parameters,
);

/** Takings of the messages of one queue. Each call throws `STORE_UNAVAILABLE`. */
export interface QueueTakings {
  /** Adds one to each; resolves with how many each has now. */
  count: (messageIds: readonly string[]) => Promise<ReadonlyMap<string, number>>;
  /** Takes one away. */
  uncount: (messageId: string) => Promise<void>;
  /** The message is dealt with. */
  forget: (messageId: string) => Promise<void>;
}

/** `queue`: as `QUEUE` names it. */
export function openQueueTakings(db: Database, queue: string): QueueTakings {
  const run = (statement: typeof count, messageIds: readonly string[]) =>
    withStoreErrors(() =>
      runStatement<{ messageId: string; takings: number }, Name>(db.$client, statement, { queue, messageIds, oldDays }),
    );
  return {
    count: async (messageIds) =>
      new Map((await run(count, messageIds)).map(({ messageId, takings }) => [messageId, takings])),
    uncount: async (messageId) => void (await run(uncount, [messageId])),
    forget: async (messageId) => void (await run(forget, [messageId])),
  };
}
