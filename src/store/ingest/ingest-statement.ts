import { defineCall, type Statement, type Values } from "../connection/named-statement.ts";
import type { ReplayContext } from "../handling/leased-event.ts";

/**
 * The parameters of the function `relay.ingest`, with their types. Arrays hold a value for each event, in the order of the
 * batch; times are in ms since the epoch; `data` is a JSON array, because Postgres reads it in half the time of an array of JSON.
 */
const given = {
  hashes: "uuid[]",
  unsentHashes: "uuid[]",
  keys: "text[]",
  kinds: "text[]",
  accountIds: "text[]",
  senderIds: "text[]",
  recipientIds: "text[]",
  occurredMs: "float8[]",
  sentMs: "float8[]",
  flags: "smallint[]",
  data: "json",
  conversations: "text[]",
  deliveryId: "uuid",
  events: "integer",
  leaseMs: "integer",
  leaseId: "uuid",
  deliveredAt: "timestamptz",
  ingestMs: "real",
  messageId: "text",
  via: "text",
  receivedAt: "timestamptz",
  bodyBytes: "integer",
  runtime: "text",
  region: "text",
  deployment: "text",
  ackMs: "real",
  publishStartedAt: "timestamptz",
  facts: "json",
  firstFacts: "json",
} as const;

/** Those that have a default. The `finding…` ones hold a value for each difference, with its event's place from 1. */
const optional = {
  record: "text",
  storedIds: "bigint[]",
  findingPlaces: "integer[]",
  findings: "text[]",
  findingPaths: "text[]",
  findingShapes: "text[]",
  batchIndex: "smallint",
  batches: "smallint",
  retried: "smallint",
  traceId: "uuid",
  coldStart: "boolean",
  probe: "boolean",
} as const;

/** The defaults, as they are sent. */
const defaults = Object.entries({
  record: "first",
  storedIds: "{}",
  findingPlaces: "{}",
  findings: "{}",
  findingPaths: "{}",
  findingShapes: "{}",
  batchIndex: 0,
  batches: 1,
  retried: 0,
  traceId: null,
  coldStart: false,
  probe: false,
} satisfies Record<keyof typeof optional, unknown>) as [IngestParameter, unknown][];

export type IngestParameter = keyof typeof given | keyof typeof optional;

/** Which row of the batch is written: the delivery's own, that of a later batch, or none. */
export type IngestRecord = "first" | "later" | "none";

/** Of an event that was known: its place in the batch from 1, its id, and what became of it. */
export type KnownEvent =
  /** The same call stored it before, of which the answer was lost. */
  | [place: number, id: number, state: "new"]
  | [
      place: number,
      id: number,
      state: "leased",
      fence: number,
      attempt: number,
      deliveryId: string,
      batchIndex: number,
      replay: ReplayContext | null,
    ]
  /** It must be leased alone, because a lease of it ended without a result. */
  | [place: number, id: number, state: "risky"]
  | [place: number, id: number, state: "known"];

export interface IngestResult {
  /** Whether the batch's row is new; false if no row was asked for. */
  recorded: boolean;
  /** Of each event that is new its id, by place; null of the others. */
  ids: (number | null)[];
  /** By place, whether it was stored without its content; null if none was. */
  erased: boolean[] | null;
  known: KnownEvent[] | null;
}

const ingestAny = defineCall<IngestParameter>("ingest", { ...given, ...optional });
const ingestPlain = defineCall<keyof typeof given>("ingest", given);

/**
 * Stores what is new of a batch and leases what is to be handled, in one statement, which is a transaction of its own. Its
 * rules are in the function, in migrations/0018_store_functions.sql. A batch for which the defaults hold, as for most, sends the
 * other parameters only.
 */
export function ingestStatement(values: Values<IngestParameter>): Statement<IngestParameter> {
  const isPlain = defaults.every(([name, value]) => values[name] === value);
  return isPlain ? ingestPlain : ingestAny;
}
