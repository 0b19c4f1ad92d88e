// What backfills run on.
import { ingestBackfill } from "#ingestion/ingest-backfill.ts";
import { advanceBackfill } from "#operations/backfill/advance-backfill.ts";
import type { BackfillMessage } from "#operations/backfill/backfill-step.ts";
import type { Backfilling } from "#operations/backfill/backfilling.ts";
import { paceMsUsual } from "#operations/backfill/graph-api.ts";
import { readEnv } from "#platform/env.ts";
import { waitUntil } from "@vercel/functions";

import { clock, log } from "./log.ts";
import { getDatabase, openHandlers, openMessagePublisher } from "./services.ts";

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

/** With the last page, and the handlers that go on after the answer, it must fit into `maxDuration` of vercel.json. */
const stepMs = 20_000;

/** The step that a message of QStash asks for. Throws `ENV_INVALID` and `STORE_UNAVAILABLE`. */
export function advanceByMessage({ backfill, after }: BackfillMessage): Promise<Record<string, unknown>> {
  return advanceBackfill(backfill, { after, deadlineMs: clock.monotonicMs() + stepMs }, openBackfilling());
}
