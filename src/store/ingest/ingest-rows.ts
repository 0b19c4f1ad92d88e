import type { Pool, PoolClient } from "pg";

import { runStatement, type Values } from "../connection/named-statement.ts";
import type { EventRow } from "./event-to-store.ts";
import {
  type IngestParameter,
  type IngestRecord,
  type IngestResult,
  ingestStatement,
  type KnownEvent,
} from "./ingest-statement.ts";
import { type EventParameter, eventValues, plainArray } from "./ingest-values.ts";

/** The parameters that are the same for every statement of a batch. */
export type DeliveryValues = Values<Exclude<IngestParameter, EventParameter | "record" | "storedIds">> & {
  deliveryId: string;
};

/** A row with what became of it. */
export interface Ingested {
  row: EventRow;
  outcome: KnownEvent | [place: number, id: number, state: "erased"];
  /** Whether Postgres refused the row as it was. */
  reduced: boolean;
}

export interface IngestedRows {
  /** Whether the batch's own row is new. */
  recorded: boolean;
  ingested: Ingested[];
}

/** Events of the batch that calls before, in the same transaction, have stored. */
const noneStored: readonly number[] = [];

/** Runs the ingest statement. Rejects with the driver's error; then nothing is stored. */
export async function ingestRows(
  client: Pool | PoolClient,
  rows: readonly EventRow[],
  record: IngestRecord,
  values: DeliveryValues,
  storedIds = noneStored,
): Promise<IngestedRows> {
  const all = { ...values, ...eventValues(rows), record, storedIds: plainArray(storedIds) };
  const [answer] = await runStatement<{ result: IngestResult }, IngestParameter>(client, ingestStatement(all), all);
  if (answer === undefined) return { recorded: false, ingested: [] };
  const { recorded, ids, erased, known } = answer.result;
  const ingested: Ingested[] = [];
  const add = (outcome: Ingested["outcome"]) => {
    const row = rows[outcome[0] - 1];
    if (row !== undefined) ingested.push({ row, outcome, reduced: false });
  };
  for (const [index, id] of ids.entries()) {
    if (id !== null) add([index + 1, id, erased?.[index] === true ? "erased" : "new"]);
  }
  for (const outcome of known ?? []) add(outcome);
  return { recorded, ingested };
}
