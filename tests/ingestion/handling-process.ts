// A process that handles events, and ends when it comes to the one that is called `killer`. It prints what it begins.
import { runHandlersOf } from "#ingestion/run-handlers-of.ts";
import { openDatabase } from "#store/connection/database.ts";

import { createHandling, ingest } from "../support/handling.ts";
import { testBatch, testEvent } from "../support/store.ts";

const { databaseUrl, mids, ids } = JSON.parse(process.argv[2] ?? "{}") as {
  databaseUrl: string;
  mids?: string[];
  ids?: number[];
};
const { db, close } = openDatabase(databaseUrl);
const options = createHandling(
  db,
  ({ key }, { attempt }) => {
    const mid = key.split(":").at(-1) ?? "";
    process.stdout.write(`${mid} ${attempt}\n`);
    if (mid === "killer") process.exit(7);
  },
  { concurrency: 1 },
);
if (mids !== undefined) {
  const events = mids.map((mid) => testEvent(mid, { senderId: `from ${mid}` }));
  await ingest(testBatch("d1", events), options);
} else {
  await runHandlersOf({ eventIds: ids ?? [], replay: null, messageId: null }, options);
}
await close();
