import { bigint, boolean, integer, real, smallint, text, uuid } from "drizzle-orm/pg-core";

import { bytes, instant, jsonText, relay } from "./columns.ts";

/** Dead letters of one cause. */
export const deadLetterGroups = relay.table("dead_letter_groups", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  fingerprint: text("fingerprint").notNull().unique(),
  /** qstash: its retries were used up; undecodable; handler; too-large. */
  cause: text("cause").notNull(),
  errorName: text("error_name"),
  errorCode: text("error_code"),
  kind: text("kind"),
  firstAt: instant("first_at").notNull(),
  firstDeployment: text("first_deployment"),
  state: text("state").notNull().default("open"),
  ignoredUntil: instant("ignored_until"),
  note: text("note"),
  changedAt: instant("changed_at"),
  changedBy: text("changed_by"),
  /** By an operator's name, a deployment, a replay, or `handled`. */
  resolvedBy: text("resolved_by"),
  resolvedAt: instant("resolved_at"),
  /** When it recurred after it was resolved; null if it has not, or has been resolved again. */
  regressedAt: instant("regressed_at"),
});

export const deadLetters = relay.table("dead_letters", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  /** `qstash` with the batch's place in its delivery, or where that is not known the message's id; `handler` with the event's id. */
  source: text("source").notNull(),
  sourceId: text("source_id").notNull(),
  groupId: bigint("group_id", { mode: "number" }).notNull(),
  recordedAt: instant("recorded_at").notNull().defaultNow(),
  eventId: bigint("event_id", { mode: "number" }),
  kind: text("kind"),
  deliveryId: uuid("delivery_id"),
  batchIndex: smallint("batch_index"),
  messageId: text("message_id"),
  dlqId: text("dlq_id"),
  url: text("url"),
  status: smallint("status"),
  attempts: smallint("attempts"),
  errorName: text("error_name"),
  errorCode: text("error_code"),
  errorMessage: text("error_message"),
  frames: text("frames").array(),
  deployment: text("deployment"),
  /** What QStash could not deliver; null for a handler's, whose event is stored, and once it is resolved. */
  body: bytes("body"),
  /** Whether `body` is the whole; QStash cuts it in the failure callback. */
  bodyWhole: boolean("body_whole"),
  /** When QStash deletes its own copy. */
  expiresAt: instant("expires_at"),
  resolvedAt: instant("resolved_at"),
  resolvedBy: text("resolved_by"),
});

/** One row is plan, run and record of a replay. */
export const replays = relay.table("replays", {
  id: text("id").primaryKey(),
  state: text("state").notNull().default("planned"),
  mode: text("mode").notNull(),
  filter: jsonText("filter").notNull(),
  reason: text("reason").notNull(),
  actor: text("actor").notNull(),
  plan: jsonText("plan").notNull(),
  /** Events after it came after the plan. */
  eventIdMax: bigint("event_id_max", { mode: "number" }).notNull(),
  /** The event up to which messages are published. */
  cursor: bigint("cursor", { mode: "number" }).notNull().default(0),
  ratePerMinute: integer("rate_per_minute"),
  total: integer("total").notNull(),
  done: integer("done").notNull().default(0),
  failed: integer("failed").notNull().default(0),
  skipped: integer("skipped").notNull().default(0),
  /** Why it stopped before its end, for a person. */
  stoppedBecause: text("stopped_because"),
  createdAt: instant("created_at").notNull().defaultNow(),
  startedAt: instant("started_at"),
  heartbeatAt: instant("heartbeat_at"),
  finishedAt: instant("finished_at"),
});

/** One row is plan, run and record of a backfill. */
export const backfills = relay.table("backfills", {
  id: text("id").primaryKey(),
  state: text("state").notNull().default("planned"),
  /** Ids with names; never a token. */
  accounts: jsonText("accounts").notNull(),
  kinds: text("kinds").array().notNull(),
  since: instant("since").notNull(),
  until: instant("until").notNull(),
  reason: text("reason").notNull(),
  actor: text("actor").notNull(),
  plan: jsonText("plan").notNull(),
  /** Where the next step goes on. */
  position: jsonText("position").notNull(),
  /** What the steps did so far. */
  counts: jsonText("counts").notNull(),
  /** Failures since the last page that was read. */
  strikes: smallint("strikes").notNull().default(0),
  /** No step before: Instagram limits how often it may be asked. */
  dueAt: instant("due_at"),
  /** Of the step that runs, or ran last; the next message names it. */
  leaseId: uuid("lease_id"),
  leasedUntil: instant("leased_until"),
  /** Why it stopped before its end, for a person. */
  stoppedBecause: text("stopped_because"),
  createdAt: instant("created_at").notNull().defaultNow(),
  startedAt: instant("started_at"),
  heartbeatAt: instant("heartbeat_at"),
  finishedAt: instant("finished_at"),
});

/** What each part of maintenance did last. */
export const maintenanceParts = relay.table("maintenance_parts", {
  name: text("name").primaryKey(),
  ranAt: instant("ran_at").notNull(),
  ms: real("ms").notNull(),
  result: jsonText("result").notNull(),
  errorName: text("error_name"),
});
