import type { Network } from "#platform/bounded-fetch.ts";
import type { InstagramToken } from "#platform/instagram-tokens.ts";

import type { Operations } from "../operations.ts";

/** What a payload held, and how many of its events are new in the store. */
export interface IngestedPayload {
  events: readonly { kind: string; occurredAtMs: number | null; isKnown: boolean }[];
  inserted: number;
}

/** Ingests a payload as if a webhook had brought it; with `isDryRun` it only says what would be new. Throws `STORE_UNAVAILABLE`. */
export type IngestPayload = (
  payload: unknown,
  options: { kinds: readonly string[]; isDryRun: boolean },
) => Promise<IngestedPayload>;

/** What backfills run on; the rim builds it. */
export interface Backfilling
  extends Pick<Operations, "db" | "publisher" | "newId" | "log">, Pick<Network, "fetch" | "clock"> {
  /** INSTAGRAM_ACCESS_TOKEN; never stored, logged or shown. */
  tokens: readonly InstagramToken[];
  /** INSTAGRAM_GRAPH_URL; null for Meta's own addresses. */
  graphUrl: string | null;
  ingest: IngestPayload;
  /** Between two requests for one account. */
  paceMs: number;
}

/** Each page renews the lease. Its requests, two at most, end after 10 s each. */
export const leaseMs = 4 * 60_000;
