import { integer, text, uuid } from "drizzle-orm/pg-core";

import { instant, jsonText, relay } from "./columns.ts";

export const dataDeletions = relay.table("data_deletions", {
  requestId: text("request_id").primaryKey(),
  code: text("code").notNull().unique(),
  userId: text("user_id"),
  requestedAt: instant("requested_at").notNull(),
  erased: integer("erased").notNull().default(0),
  /** Copies at QStash that could not be deleted, by what the status page says of them. */
  unreached: jsonText("unreached"),
  completedAt: instant("completed_at"),
  /** Where an erasure that takes longer than one call goes on. */
  progress: jsonText("progress"),
});

/** People whose data was erased, while QStash may still deliver what it had before: the id's SHA-256, first 16 bytes. */
export const erasedPeople = relay.table("erased_people", {
  hash: uuid("hash").primaryKey(),
  /** Deliveries received before are erased when they arrive. */
  requestedAt: instant("requested_at").notNull(),
});

export const deauthorizations = relay.table("deauthorizations", {
  requestId: text("request_id").primaryKey(),
  userId: text("user_id"),
  issuedAt: instant("issued_at"),
  recordedAt: instant("recorded_at").notNull(),
});

export const spentSeals = relay.table("spent_seals", {
  id: text("id").primaryKey(),
  expiresAt: instant("expires_at").notNull(),
});
