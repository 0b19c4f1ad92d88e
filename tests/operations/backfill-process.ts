// A process that starts a backfill and is killed while Instagram's API holds one of its requests back.
import { randomUUID } from "node:crypto";

import { ingestBackfill } from "#ingestion/ingest-backfill.ts";
import { beginBackfill } from "#operations/backfill/start-backfill.ts";
import { systemClock } from "#platform/clock.ts";
import { parseInstagramTokens } from "#platform/instagram-tokens.ts";
import { openDatabase } from "#store/connection/database.ts";

import { createHandling } from "../support/handling.ts";

const { databaseUrl, graphUrl, token, id } = JSON.parse(process.argv[2] ?? "{}") as Record<string, string>;
const { db } = openDatabase(databaseUrl ?? "");
const handling = createHandling(db);
await beginBackfill(id ?? "", {
  db,
  publisher: handling.publisher,
  newId: randomUUID,
  log: handling.log,
  fetch,
  clock: systemClock,
  tokens: parseInstagramTokens(token ?? "") ?? [],
  graphUrl: graphUrl ?? "",
  paceMs: 0,
  ingest: (payload, options) => ingestBackfill(payload, options, { ...handling, waitUntil: () => {} }),
});
