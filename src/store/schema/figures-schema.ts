import { bigint, integer, primaryKey, text } from "drizzle-orm/pg-core";

import { instant, relay } from "./columns.ts";

/** What handlers counted: appended by consumers, folded into `handler_counts` by maintenance. */
export const handlerCountIncrements = relay.table("handler_count_increments", {
  name: text("name").notNull(),
  count: bigint("count", { mode: "number" }).notNull(),
});

export const handlerCounts = relay.table("handler_counts", {
  name: text("name").primaryKey(),
  count: bigint("count", { mode: "number" }).notNull(),
});

/** Differences between Meta's data and our schemas: appended by consumers, folded into `drift` by maintenance. */
export const driftFindings = relay.table("drift_findings", {
  kind: text("kind").notNull(),
  path: text("path").notNull(),
  finding: text("finding").notNull(),
  shape: text("shape").notNull(),
  count: integer("count").notNull(),
  seenAt: instant("seen_at").notNull(),
  eventId: bigint("event_id", { mode: "number" }).notNull(),
});

export const drift = relay.table(
  "drift",
  {
    kind: text("kind").notNull(),
    path: text("path").notNull(),
    finding: text("finding").notNull(),
    shape: text("shape").notNull(),
    count: bigint("count", { mode: "number" }).notNull(),
    firstSeen: instant("first_seen").notNull(),
    lastSeen: instant("last_seen").notNull(),
    eventId: bigint("event_id", { mode: "number" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.path, table.finding, table.shape] })],
);

export const refusals = relay.table("refusals", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  at: instant("at").notNull(),
  runtime: text("runtime").notNull(),
  reason: text("reason").notNull(),
  count: integer("count").notNull(),
});
