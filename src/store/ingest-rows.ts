import type { Pool, PoolClient } from "pg";

import type { EventRow } from "./event-to-store.ts";
import type { IngestParameter } from "./ingest-parameters.ts";
import { type IngestedEvent, type IngestedRow, type IngestRecord, ingestStatement } from "./ingest-statement.ts";
import { type EventParameter, eventValues } from "./ingest-values.ts";
import { runStatement, type Values } from "./named-statement.ts";

/** What earlier statements for the same batch stored. */
export type StoredBefore = Record<"inserted" | "worked", number> &
  Record<"firstEventId" | "lastEventId", number | null> & {
    /** How many of them are new, by kind, as JSON; null if nothing was stored before. */
    insertedKinds: string | null;
    /** Without a row of the batch: whether its duplicates are linked to the delivery. */
    areLinked: boolean;
  };

/** The parameters that are the same for every statement of a batch. */
export type DeliveryValues = Values<Exclude<IngestParameter, EventParameter | keyof StoredBefore>> & {
  deliveryId: string;
};

export const nothingBefore: StoredBefore = {
  inserted: 0,
  insertedKinds: null,
  worked: 0,
  firstEventId: null,
  lastEventId: null,
  areLinked: true,
};

/** A row with what became of it. */
export interface Ingested {
  row: EventRow;
  outcome: IngestedEvent;
  /** Whether Postgres refused the row as it was. */
  reduced: boolean;
}

export interface IngestedRows {
  /** Whether the batch's own row is new. */
  recorded: boolean;
  ingested: Ingested[];
}

/** Runs the ingest statement. Rejects with the driver's error; then nothing is stored. */
export async function ingestRows(
  client: Pool | PoolClient,
  rows: readonly EventRow[],
  record: IngestRecord,
  values: DeliveryValues & StoredBefore,
): Promise<IngestedRows> {
  const statement = ingestStatement(
    record,
    rows.some(({ findings }) => findings.length > 0),
  );
  const [result] = await runStatement<IngestedRow, IngestParameter>(client, statement, {
    ...values,
    ...eventValues(rows),
  });
  const ingested = (result?.events ?? []).flatMap((outcome) => {
    const row = rows[outcome[0] - 1];
    return row === undefined ? [] : [{ row, outcome, reduced: false }];
  });
  return { recorded: result?.recorded === 1, ingested };
}
