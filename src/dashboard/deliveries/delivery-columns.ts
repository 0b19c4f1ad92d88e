import { type SQL, sql } from "drizzle-orm";

import type { ForwardOutcome, Runtime } from "#platform/delivery.ts";

import { isoText } from "../iso-text.ts";

/** A delivery in lists and at the head of its page; null is unknown, or has not happened yet. */
export interface DeliveryItem {
  id: string;
  runtime: Runtime;
  region: string | null;
  deployment: string | null;
  coldStart: boolean;
  probe: boolean;
  outcome: ForwardOutcome | null;
  /** How its first batch was ingested; `backfill`: read from Instagram's API, so there was no webhook and no forward. */
  via: "queue" | "fallback" | "backfill" | null;
  /** `inserted` + `duplicates` once all batches are ingested; before that, the report's number. */
  events: number | null;
  inserted: number | null;
  duplicates: number | null;
  receivedAt: string;
  ackMs: number | null;
  publishedAt: string | null;
  deliveredAt: string | null;
  ingestedAt: string | null;
  handledAt: string | null;
  /** The code of the last failed publish attempt, also if a later one succeeded. */
  error: string | null;
}

/** The columns of a `DeliveryItem` of `deliveryOutcomes`, whose alias is `d`. */
export const deliveryColumns: SQL = sql`
  d.id, d.runtime, d.region, d.deployment, d.cold_start as "coldStart", d.probe, d.became as outcome, d.via,
  case when d.complete then d.all_inserted + d.all_duplicates else d.events end as events,
  case when d.complete then d.all_inserted end as inserted,
  case when d.complete then d.all_duplicates end as duplicates,
  ${isoText(sql`d.received_at`)} as "receivedAt", d.ack_ms as "ackMs",
  ${isoText(sql`d.published_at`)} as "publishedAt",
  case when d.complete then ${isoText(sql`d.first_delivered_at`)} end as "deliveredAt",
  case when d.complete then ${isoText(sql`d.last_ingested_at`)} end as "ingestedAt",
  ${isoText(sql`d.handled_at`)} as "handledAt", d.error_type as error
`;
