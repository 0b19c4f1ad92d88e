import { doublePrecision, primaryKey, smallint, text, uuid } from "drizzle-orm/pg-core";

import { instant, jsonText, relay } from "./columns.ts";

/** A rule's state, per scope: a group of dead letters, a kind of event; empty for rules without one. */
export const alerts = relay.table(
  "alerts",
  {
    rule: text("rule").notNull(),
    scope: text("scope").notNull(),
    /** 0 while it is resolved; higher ones are worse. */
    level: smallint("level").notNull(),
    /** The level that the receivers were last sent. */
    announced: smallint("announced").notNull(),
    value: doublePrecision("value"),
    text: text("text").notNull(),
    /** Since when its condition has held without a break, and since when it has not; one of the two is null. */
    badSince: instant("bad_since"),
    goodSince: instant("good_since"),
    /** Of a firing rule. */
    since: instant("since"),
    checkedAt: instant("checked_at").notNull(),
    changedAt: instant("changed_at").notNull(),
    announcedAt: instant("announced_at"),
    remindedAt: instant("reminded_at"),
    acknowledgedAt: instant("acknowledged_at"),
    acknowledgedBy: text("acknowledged_by"),
    mutedUntil: instant("muted_until"),
    mutedBy: text("muted_by"),
    /** Of the newest notice about it. */
    noticeId: uuid("notice_id"),
  },
  (table) => [primaryKey({ columns: [table.rule, table.scope] })],
);

/** What one evaluation has to say, once for each address that it goes to. */
export const alertNotices = relay.table(
  "alert_notices",
  {
    id: uuid("id").notNull(),
    /** The address's host and a hash: the address itself may be a secret. */
    address: text("address").notNull(),
    at: instant("at").notNull(),
    changes: jsonText("changes").notNull(),
    /** pending, sent, failed. */
    state: text("state").notNull(),
    attempts: smallint("attempts").notNull().default(0),
    /** A sender has it until then. */
    claimedUntil: instant("claimed_until"),
    triedAt: instant("tried_at"),
    /** What the last attempt met with, for a person. */
    result: text("result"),
  },
  (table) => [primaryKey({ columns: [table.id, table.address] })],
);

export type AlertRow = typeof alerts.$inferSelect;
