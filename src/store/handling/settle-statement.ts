import { defineCall, defineStatement } from "../connection/named-statement.ts";

const first = {
  ids: "bigint[]",
  deliveryId: "uuid",
  ownMs: "real",
  countNames: "text[]",
  counts: "bigint[]",
  deployment: "text",
  facts: "json",
} as const;

/**
 * Stores first attempts of one delivery that succeeded, which is the rule: then nothing but its row tells of them. `ownMs` is
 * how long they took together. The rules are in the function, in migrations/0018_store_functions.sql, as of the others here.
 */
export const settleFirstSuccesses = defineCall<keyof typeof first>("settle_first_successes", first);

/** A row that another transaction holds for longer must not hold up the settlements of all other deliveries. */
const lockMsMax = 250;

/**
 * The same for several settlements, of any deliveries: a call for each, in the order of a JSON array whose objects have the
 * parameters of `settleFirstSuccesses`. Fails with lock_not_available if it has to wait long for a row.
 */
export const settleManyFirstSuccesses = defineStatement<"settlements">(
  `with limited as materialized (select set_config('lock_timeout', '${lockMsMax}', true))
  select relay.settle_first_successes(ids, "deliveryId", "ownMs", "countNames", counts, deployment, facts)
  from limited, json_to_recordset(:settlements) s (${Object.entries(first)
    .map(([name, type]) => `"${name}" ${type}`)
    .join(", ")})`,
  { settlements: "json" },
);

const any = {
  ids: "bigint[]",
  fences: "integer[]",
  outcomes: "text[]",
  attempts: "smallint[]",
  deliveryIds: "uuid[]",
  startedAts: "timestamptz[]",
  durations: "real[]",
  retryMs: "bigint[]",
  queuedMs: "bigint[]",
  errorNames: "text[]",
  errorCodes: "text[]",
  errorMessages: "text[]",
  frames: "text[]",
  fingerprints: "text[]",
  kinds: "text[]",
  replayIds: "text[]",
  countNames: "text[]",
  counts: "bigint[]",
  deployment: "text",
  messageId: "text",
  measuredIds: "uuid[]",
  measuredFacts: "text[]",
} as const;

export type SettleParameter = keyof typeof first | keyof typeof any;

/** Stores any number of results; resolves with the ids of those that came too late, or null. */
export const settleAny = defineCall<keyof typeof any>("settle", any);

/** Marks deliveries of which no batch is missing and no event is open. */
export const markHandledStatement = defineCall<"deliveryIds">("mark_handled", { deliveryIds: "uuid[]" });
