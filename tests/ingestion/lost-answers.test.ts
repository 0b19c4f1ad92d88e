import { onTestFinished, describe, expect, test } from "vitest";

import { HandlerError, type Handler } from "#handlers/handler.ts";
import { runHandlersOf } from "#ingestion/run-handlers-of.ts";
import { openDatabase } from "#store/connection/database.ts";
import { foldHandlerCounts } from "#store/figures/fold-handler-counts.ts";

import { createHandling, ingest } from "../support/handling.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { makeDue, readCounts, readTries, readWork } from "../support/work.ts";

const mids = ["a", "b", "c"];
const batch = () =>
  testBatch(
    "d1",
    mids.map((mid) => testEvent(mid, { senderId: `from ${mid}` })),
  );

/** A database on whose way answers are lost. */
async function openBehindProxy() {
  const { pool, url } = await openTestStore();
  const proxy = await startTcpProxy(url, 5432);
  const { db, close } = openDatabase(proxy.url);
  onTestFinished(async () => {
    await close();
    await proxy.close();
  });
  // Prepared statements and connections are those of a server that has run for a while.
  await ingest(testBatch("d0", [testEvent("first")]), createHandling(db));
  return { pool, db, proxy };
}

const count: Handler = (_event, context) => context.count("sold");

describe("a statement that was committed and whose answer is lost", () => {
  test("stores a batch: it is still the new one, and its handlers run at once", async () => {
    const { pool, db, proxy } = await openBehindProxy();
    proxy.loseAnswers(1);
    const options = createHandling(db, count);
    expect(await ingest(batch(), options)).toMatchObject({ inserted: 3, duplicates: 0, handlers: { handled: 3 } });
    expect(proxy.broken).toBe(1);
    expect(options.recording.of("ingestion.committed")).toMatchObject([{ inserted: 3, duplicates: 0 }]);
    expect(options.recording.of("ingestion.committed")).not.toMatchObject([{ repeated: true }]);
    expect(await readWork(pool)).toEqual([]);
    expect(await readCounts(pool)).toEqual({ sold: 3 });
    expect(await ingest(batch(), options)).toEqual({ inserted: 0, duplicates: 3, handlers: null });
  });

  test("leases events: their handlers run at once, and it is one attempt and no death", async () => {
    const { pool, db, proxy } = await openBehindProxy();
    const failing = createHandling(db, () => {
      throw new HandlerError("x");
    });
    await ingest(batch(), failing);
    await makeDue(pool);
    const eventIds = (await readWork(pool)).map(({ id }) => id);
    proxy.loseAnswers(1);
    await runHandlersOf({ eventIds, replay: null, messageId: null }, failing);
    expect(proxy.broken).toBe(1);
    expect(await readWork(pool)).toMatchObject(mids.map(() => ({ attempts: 2, deaths: 0, leased: false })));
  });

  test("leases events of a batch that comes again", async () => {
    const { pool, db, proxy } = await openBehindProxy();
    const failing = createHandling(db, () => {
      throw new HandlerError("x");
    });
    await ingest(batch(), failing);
    await makeDue(pool);
    proxy.loseAnswers(1);
    expect(await ingest(batch(), failing)).toMatchObject({ inserted: 0, duplicates: 3, handlers: { failed: 3 } });
    expect(await readWork(pool)).toMatchObject(mids.map(() => ({ attempts: 2, deaths: 0, leased: false })));
  });

  test("settles failures: each call is recorded once, and the retries are asked for", async () => {
    const { pool, db, proxy } = await openBehindProxy();
    const options = createHandling(db, ({ key }) => {
      if (key.endsWith("a")) proxy.loseAnswers(1);
      throw new HandlerError("x", { retryable: !key.endsWith("c") });
    });
    expect(await ingest(batch(), options)).toMatchObject({ handlers: { failed: 3, lost: 0, unsettled: 0 } });
    expect(proxy.broken).toBe(1);
    expect(await readWork(pool)).toMatchObject([{ state: "open" }, { state: "open" }, { state: "dead" }]);
    expect(await readTries(pool)).toHaveLength(3);
    expect(options.published).toMatchObject([{ eventIds: [expect.any(Number), expect.any(Number)] }]);
  });

  test("settles successes, and is sent again after a pause, with later ones: nothing is counted twice", async () => {
    const { pool, db, proxy } = await openBehindProxy();
    let goOn = () => {};
    const later = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const options = createHandling(
      db,
      async ({ key }, context) => {
        context.count("sold");
        if (key.endsWith("a")) proxy.loseAnswers(2);
        else await later;
      },
      { concurrency: 4 },
    );
    const ingested = ingest(batch(), options);
    while (options.recording.of("handlers.settle_failed").length === 0) await new Promise(setImmediate);
    goOn();
    expect(await ingested).toMatchObject({ handlers: { handled: 3, unsettled: 0 } });
    expect(proxy.broken).toBe(2);
    expect(await readWork(pool)).toEqual([]);
    await foldHandlerCounts(db);
    const { rows } = await pool.query("select name, count::integer from relay.handler_counts where name = 'sold'");
    expect(rows).toEqual([{ name: "sold", count: 3 }]);
  });
});
