// What backfills run on.
import { ingestBackfill } from "#ingestion/ingest-backfill.ts";
import type { Backfilling } from "#operations/backfill/backfilling.ts";
import { paceMsUsual } from "#operations/backfill/graph-api.ts";
import { readEnv } from "#platform/env.ts";
import { waitUntil } from "@vercel/functions";

import { clock, log } from "./log.ts";
import { getDatabase } from "./database.ts";
import { openMessagePublisher } from "./queue/queue.ts";
import { openHandlers } from "./services.ts";

/** Throws `ENV_INVALID`. */
export function openBackfilling(): Backfilling {
  const env = readEnv(process.env, ["INSTAGRAM_ACCESS_TOKEN", "INSTAGRAM_GRAPH_URL"]);
  return {
    db: getDatabase(),
    publisher: openMessagePublisher(),
    newId: () => crypto.randomUUID(),
    fetch,
    clock,
    log,
    tokens: env.INSTAGRAM_ACCESS_TOKEN,
    graphUrl: env.INSTAGRAM_GRAPH_URL,
    paceMs: paceMsUsual,
    ingest: (payload, options) => ingestBackfill(payload, options, { ...openHandlers(), waitUntil, clock, log }),
  };
}
