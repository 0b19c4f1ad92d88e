import { boolean, doublePrecision, integer, primaryKey, real, text, timestamp, uuid } from "drizzle-orm/pg-core";

import { bytes, instant, jsonText, relay } from "./columns.ts";

/** One row of each step of a delivery, appended; the roll-up adds it to `figures` and deletes it. */
export const measurements = relay.table("measurements", {
  /** When the webhook was called, at most now. */
  at: instant("at").notNull(),
  /** Of an ingested batch; known only within the statement. */
  ingestMs: real("ingest_ms"),
  cold: boolean("cold"),
  probe: boolean("probe").notNull(),
  runtime: text("runtime").notNull(),
  region: text("region"),
  deployment: text("deployment"),
  facts: jsonText("facts").notNull(),
  /** Of an ingested batch: how many of its events are new, by kind; null if all are. */
  inserted: jsonText("inserted"),
  /** What both the report and the first batch know of a delivery: in the row of the one that comes first. */
  firstFacts: jsonText("first_facts"),
});

/** What a figure is of. Empty text is "none", or "all": the series with an empty deployment sum up all deployments. */
export const measurementSeries = relay.table("measurement_series", {
  id: integer("id").primaryKey().generatedAlwaysAsIdentity(),
  firstAt: instant("first_at").notNull(),
  metric: text("metric").notNull(),
  runtime: text("runtime").notNull(),
  region: text("region").notNull(),
  deployment: text("deployment").notNull(),
  /** warm, cold, or empty where that is not known. */
  cold: text("cold").notNull(),
  /** Of an event. */
  kind: text("kind").notNull(),
  /** An outcome, an error's code or name, a reason, a pair of clocks. */
  label: text("label").notNull(),
});

/** The start of an interval of a tier. */
const intervalStart = () => timestamp("at", { withTimezone: true, mode: "date", precision: 0 }).notNull();

const sums = () => ({
  /** Weighed: a report that was sampled counts for those that were not sent. */
  count: doublePrecision("count").notNull(),
  /** Of times in milliseconds; null for what is only counted. */
  sumMs: doublePrecision("sum_ms"),
  maxMs: doublePrecision("max_ms"),
  within250: doublePrecision("within_250"),
  within1000: doublePrecision("within_1000"),
  within5000: doublePrecision("within_5000"),
  /** The buckets of a histogram of schema 5, see src/measurements/bucket-bytes.ts. */
  buckets: bytes("buckets"),
});

/** Sums of each minute, hour and day, and of all time: all four grow with each roll-up. */
export const figures = relay.table(
  "figures",
  {
    tier: text("tier").notNull(),
    seriesId: integer("series_id").notNull(),
    /** The epoch for `total`. */
    at: intervalStart(),
    ...sums(),
  },
  (table) => [primaryKey({ columns: [table.tier, table.seriesId, table.at] })],
);

/** The figures of past hours and days, summed up over regions. */
export const regionSums = relay.table(
  "region_sums",
  {
    tier: text("tier").notNull(),
    deployment: text("deployment").notNull(),
    at: intervalStart(),
    metric: text("metric").notNull(),
    runtime: text("runtime").notNull(),
    cold: text("cold").notNull(),
    kind: text("kind").notNull(),
    label: text("label").notNull(),
    ...sums(),
  },
  (table) => [
    primaryKey({
      columns: [
        table.tier,
        table.deployment,
        table.at,
        table.metric,
        table.runtime,
        table.cold,
        table.kind,
        table.label,
      ],
    }),
  ],
);

/** The hours and days whose `regionSums` are missing or out of date; triggers of `figures` add them. */
export const unsummedIntervals = relay.table(
  "unsummed_intervals",
  { tier: text("tier").notNull(), at: intervalStart() },
  (table) => [primaryKey({ columns: [table.tier, table.at] })],
);

/** The same signed body sent to both runtimes from one place at one moment. Times are null without an answer of 200. */
export const probePairs = relay.table("probe_pairs", {
  id: uuid("id").primaryKey(),
  at: instant("at").notNull(),
  burst: uuid("burst").notNull(),
  vantage: text("vantage").notNull(),
  deployment: text("deployment"),
  regionEdge: text("region_edge"),
  regionNode: text("region_node"),
  edgeMs: doublePrecision("edge_ms"),
  nodeMs: doublePrecision("node_ms"),
  /** The handler's own part, from the answer's Server-Timing. */
  edgeHandlerMs: doublePrecision("edge_handler_ms"),
  nodeHandlerMs: doublePrecision("node_handler_ms"),
  /** Which of the two began cold: none, edge, nodejs, both; null where the answers do not say. */
  cold: text("cold"),
  /** Since the previous request to that function that the sender knows of. */
  idleEdgeMs: doublePrecision("idle_edge_ms"),
  idleNodeMs: doublePrecision("idle_node_ms"),
  first: text("first").notNull(),
  /** Whether it was published and ingested, too; its times are not judged. */
  canary: boolean("canary").notNull(),
  deliveryEdge: uuid("delivery_edge"),
  deliveryNode: uuid("delivery_node"),
});
