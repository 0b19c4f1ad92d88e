/** Every acknowledged delivery against what is in the database: what is missing, and what is there twice. */
import { Client } from "pg";

import type { SentDelivery } from "./send-as-meta.ts";

/** What the database holds of a run. */
export interface Stored {
  /** The key of every row, and whether its handler has succeeded. */
  rows: readonly { key: string; handled: boolean }[];
  /** How many successes of handlers are stored, by their own count. */
  handlerRuns: number;
  /** Events whose handlers have not succeeded, by what becomes of them. */
  work: Work;
}

export interface Work {
  /** Open and due, with no lease and no QStash message, though maintenance has run: nobody will try them. */
  forgotten: number;
  /** Given up. */
  dead: number;
  /** Given up without a dead letter that is open. */
  unseen: number;
}

export interface Account {
  /** Deliveries. */
  sent: number;
  acked: number;
  /** Requests that were not acknowledged, and how many of their deliveries were later. */
  refusals: number;
  ackedLater: number;
  /** Acknowledged deliveries whose events are all stored. */
  ingested: number;
  /** Rows and handler runs beyond the first of an event, and rows of events that nobody sent. */
  duplicates: number;
  /** Acknowledged deliveries of which an event is missing. */
  lost: readonly { deliveryId: string; missing: readonly string[] }[];
  /** Stored events whose handlers have not succeeded. */
  unhandled: number;
  work: Work;
}

export function drawUpAccount(sent: readonly SentDelivery[], { rows, handlerRuns, work }: Stored): Account {
  const stored = new Set(rows.map(({ key }) => key));
  const expected = new Set(sent.flatMap(({ keys }) => keys));
  const strangers = [...stored].filter((key) => !expected.has(key)).length;
  const handled = rows.filter((row) => row.handled).length;

  const acked = sent.flatMap(({ ackedAs, keys }) => (ackedAs === null ? [] : [{ deliveryId: ackedAs, keys }]));
  const lost = acked.flatMap(({ deliveryId, keys }) => {
    const missing = keys.filter((key) => !stored.has(key));
    return missing.length > 0 ? [{ deliveryId, missing }] : [];
  });
  return {
    sent: sent.length,
    acked: acked.length,
    refusals: sent.reduce((sum, { refusals }) => sum + refusals.length, 0),
    ackedLater: sent.filter(({ ackedAs, refusals }) => ackedAs !== null && refusals.length > 0).length,
    ingested: acked.length - lost.length,
    duplicates: rows.length - stored.size + strangers + Math.max(0, handlerRuns - handled),
    lost,
    unhandled: rows.length - handled,
    work,
  };
}

/** How many successes of handlers are stored so far: each counts one. */
export function readHandlerRuns(databaseUrl: string): Promise<number> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ count: number }>(
      `select coalesce(sum(count), 0)::integer as count from
        (select count from relay.handler_counts union all select count from relay.handler_count_increments) counted`,
    );
    return rows[0]?.count ?? 0;
  });
}

/** The rows of this run. */
export function readRows(databaseUrl: string, run: string): Promise<Stored["rows"]> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ key: string; handled: boolean }>(
      `select e.key, w.event_id is null as handled
        from relay.events e left join relay.event_work w on w.event_id = e.id
        where starts_with(split_part(e.key, ':', 3), $1)`,
      [`${run}.`],
    );
    return rows;
  });
}

/** What waits for a handler, of all runs. */
export function readWork(databaseUrl: string): Promise<Work> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<Work>(
      `select
        count(*) filter (where state = 'open' and next_attempt_at <= now() and coalesce(leased_until, '-infinity') <= now()
          and coalesce(queued_until, '-infinity') <= now())::integer as forgotten,
        count(*) filter (where state = 'dead')::integer as dead,
        count(*) filter (where state = 'dead' and not exists (select from relay.dead_letters d
          where d.event_id = w.event_id and d.source = 'handler' and d.resolved_at is null))::integer as unseen
        from relay.event_work w`,
    );
    return rows[0] ?? { forgotten: 0, dead: 0, unseen: 0 };
  });
}

async function withClient<T>(databaseUrl: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
