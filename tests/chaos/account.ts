/** Every acknowledged delivery against what is in the database: what is missing, and what is there twice. */
import { Client } from "pg";

import type { SentDelivery } from "./send-as-meta.ts";

/** What the database holds of a run. */
export interface Stored {
  /** The key of every row, and whether its handler has finished. */
  rows: readonly { key: string; handled: boolean }[];
  /** How often handlers have run, by their own count. */
  handlerRuns: number;
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
  /** Stored events that wait for their handler. */
  unhandled: number;
}

export function drawUpAccount(sent: readonly SentDelivery[], { rows, handlerRuns }: Stored): Account {
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
  };
}

/** Handlers count what they do in one row for each kind; a run sends only messages. */
const counter = "message";

/** How often handlers have run so far, by their own count. */
export function readHandlerRuns(databaseUrl: string): Promise<number> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ count: number }>(
      "select count::integer as count from handler_counts where name = $1",
      [counter],
    );
    return rows[0]?.count ?? 0;
  });
}

/** The rows whose keys begin like this. */
export function readRows(databaseUrl: string, keyPrefix: string): Promise<Stored["rows"]> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ key: string; handled: boolean }>(
      "select key, handled_at is not null as handled from events where starts_with(key, $1)",
      [keyPrefix],
    );
    return rows;
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
