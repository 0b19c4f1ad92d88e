/**
 * The parameters, in their order, with their types. Arrays hold a value for each event, in the order of the batch; the
 * `finding…` ones a value for each difference, with the event's place in the batch from 1. What is counted, `inserted` and
 * so on, was stored by earlier statements for the same batch.
 */
export const ingestParameters = {
  hashes: "uuid[]",
  unsentHashes: "uuid[]",
  keys: "text[]",
  kinds: "text[]",
  accountIds: "text[]",
  senderIds: "text[]",
  recipientIds: "text[]",
  occurredAts: "timestamptz[]",
  sentAts: "timestamptz[]",
  flags: "smallint[]",
  data: "json[]",
  conversations: "text[]",
  findingPlaces: "integer[]",
  findings: "text[]",
  findingPaths: "text[]",
  findingShapes: "text[]",
  deliveryId: "uuid",
  batchIndex: "smallint",
  leaseMs: "integer",
  leaseId: "uuid",
  events: "integer",
  deliveredAt: "timestamptz",
  ingestMs: "real",
  messageId: "text",
  traceId: "uuid",
  retried: "smallint",
  batches: "smallint",
  via: "text",
  receivedAt: "timestamptz",
  bodyBytes: "integer",
  coldStart: "boolean",
  probe: "boolean",
  runtime: "text",
  region: "text",
  deployment: "text",
  ackMs: "real",
  publishStartedAt: "timestamptz",
  inserted: "integer",
  insertedKinds: "json",
  facts: "json",
  firstFacts: "json",
  firstEventId: "bigint",
  lastEventId: "bigint",
  worked: "integer",
  areLinked: "boolean",
} as const;

export type IngestParameter = keyof typeof ingestParameters;

/** Bits of `flags`. */
export const eventFlags = { standby: 1, test: 2, drifted: 4 } as const;
