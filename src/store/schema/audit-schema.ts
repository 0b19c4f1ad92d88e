import { sql } from "drizzle-orm";
import { bigint, text } from "drizzle-orm/pg-core";

import { instant, jsonText, relay } from "./columns.ts";

/** One row of each change that the holder of a token asked for. */
export const audit = relay.table("audit", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  at: instant("at").notNull().defaultNow(),
  /** The name of the token. */
  actor: text("actor").notNull(),
  via: text("via").notNull(),
  /** The network that the request came from. */
  address: text("address").notNull(),
  action: text("action").notNull(),
  target: text("target"),
  filter: jsonText("filter"),
  reason: text("reason"),
  /** `started`, `ok`, or the code of the error. */
  result: text("result").notNull(),
  settledAt: instant("settled_at"),
});

/** A session is valid while its row is here and has not ended, and as long as its token is configured. */
export const sessions = relay.table("sessions", {
  id: text("id").primaryKey(),
  /** The name of the token that signed it. */
  name: text("name").notNull(),
  address: text("address").notNull(),
  createdAt: instant("created_at").notNull(),
  expiresAt: instant("expires_at").notNull(),
  endedAt: instant("ended_at"),
});

/** One row of each wrong token of the last minute, so that the processes of a relay share one limit for guesses. */
export const wrongTokens = relay.table("wrong_tokens", {
  at: instant("at")
    .notNull()
    .default(sql`clock_timestamp()`),
  /** The network that the request came from. */
  client: text("client").notNull(),
});
