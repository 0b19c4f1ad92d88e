import type { Pool, PoolClient } from "pg";

import { isDataRefused } from "../connection/store-error.ts";
import { beginWith, statementTimeoutMs, transact } from "../connection/transaction.ts";
import { type EventRow, reductions } from "./event-to-store.ts";
import { type DeliveryValues, type Ingested, ingestRows, type IngestedRows } from "./ingest-rows.ts";
import type { IngestRecord } from "./ingest-statement.ts";

const begin = beginWith("begin", statementTimeoutMs);

/**
 * Stores a batch of which Postgres refuses something, in one transaction: by halves, down to the single event that is
 * refused, which is stored in a form that Postgres takes. Rejects with the driver's error; then nothing is stored.
 */
export async function storeApart(
  pool: Pool,
  rows: readonly EventRow[],
  record: IngestRecord,
  values: DeliveryValues,
): Promise<IngestedRows> {
  return transact(pool, begin, async (client) => {
    // The whole has been refused already.
    const ingested =
      rows.length > 1 ? await storeHalves(client, rows, values) : await storeReduced(client, rows, values);
    const storedIds = ingested.filter(({ outcome }) => isNew(outcome[2])).map(({ outcome }) => outcome[1]);
    const { recorded } = await ingestRows(client, [], record, values, storedIds);
    return { recorded, ingested };
  });
}

function isNew(state: string): boolean {
  return state === "new" || state === "erased";
}

async function storePart(client: PoolClient, rows: readonly EventRow[], values: DeliveryValues): Promise<Ingested[]> {
  const stored = await unlessRefused(client, rows, values);
  if (stored !== null) return stored;
  return rows.length > 1 ? storeHalves(client, rows, values) : storeReduced(client, rows, values);
}

async function storeHalves(client: PoolClient, rows: readonly EventRow[], values: DeliveryValues): Promise<Ingested[]> {
  const half = Math.ceil(rows.length / 2);
  const first = await storePart(client, rows.slice(0, half), values);
  return [...first, ...(await storePart(client, rows.slice(half), values))];
}

async function storeReduced(
  client: PoolClient,
  [row]: readonly EventRow[],
  values: DeliveryValues,
): Promise<Ingested[]> {
  const forms = row === undefined ? [] : reductions(row);
  for (const [index, form] of forms.entries()) {
    const isLast = index === forms.length - 1;
    const stored = isLast ? await store(client, [form], values) : await unlessRefused(client, [form], values);
    if (stored !== null && row !== undefined) return stored.map((ingested) => ({ ...ingested, reduced: true }));
  }
  return [];
}

async function store(client: PoolClient, rows: readonly EventRow[], values: DeliveryValues): Promise<Ingested[]> {
  return (await ingestRows(client, rows, "none", values)).ingested;
}

/** Stores the rows in a savepoint. If Postgres refuses the data, rolls back to the savepoint and resolves with null. */
async function unlessRefused(
  client: PoolClient,
  rows: readonly EventRow[],
  values: DeliveryValues,
): Promise<Ingested[] | null> {
  await client.query("savepoint refusable");
  try {
    return await store(client, rows, values);
  } catch (thrown) {
    if (!isDataRefused(thrown)) throw thrown;
    await client.query("rollback to savepoint refusable");
    return null;
  }
}
