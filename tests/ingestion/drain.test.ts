import { describe, expect, onTestFinished, test } from "vitest";

import { aloneFrom, drainMessage, takingsMax } from "#ingestion/drain/drain-messages.ts";
import { openDrainRights } from "#ingestion/drain/open-drain-rights.ts";
import { createPostgresQueue, createTableMessages } from "#ingestion/drain/postgres-queue.ts";
import { countFree } from "#ingestion/drain/take-once.ts";
import { type Clock, systemClock as clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import { encodeHandlersMessage } from "#queue/handlers-message.ts";
import type { OpenDatabase } from "#store/connection/database.ts";
import { beginDrain, endDrain } from "#store/queue/queue-drains.ts";
import { enqueueMessage } from "#store/queue/queue-messages.ts";
import { noTrace } from "#tracing/trace.ts";

import { createTestDrainer, type DrainRigOptions } from "../queue/drain-rig.ts";
import { countQueries } from "../support/count-queries.ts";
import { eventually } from "../support/eventually.ts";
import { createHandling } from "../support/handling.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";
import { readKeys, readWork } from "../support/work.ts";

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const enqueueBatch = (store: OpenDatabase, mid: string) =>
  enqueueMessage(store.db, {
    route: "instagram-ingestion",
    body: encode(testBatch(crypto.randomUUID(), [testEvent(mid)])),
    delayMs: 0,
    deduplicationId: null,
    label: "instagram",
  });

/** A drain of the table alone. What it does ends with the test. */
async function open(
  message: Parameters<typeof createHandling>[1] = () => {},
  { others = {} }: Pick<DrainRigOptions, "others"> = {},
) {
  const store = await openTestStore();
  const queue = createPostgresQueue({ db: store.db, clock });
  const handling = createHandling(store.db, message);
  const drainer = createTestDrainer(store.db, {
    queues: [{ name: "postgres", queue, batchesOnly: false }],
    table: others.queues === undefined ? queue : null,
    handling,
    others,
  });
  const wakes: Promise<void>[] = [];
  onTestFinished(async () => void (await Promise.all(wakes)));
  const wake = () => {
    const woken = drainer.wake();
    wakes.push(woken);
    return woken;
  };
  handling.publisher = createTableMessages({ db: store.db, clock, wake: () => void wake() });
  const countLeft = async () => {
    const { rows } = await store.pool.query<{ left: number }>("select count(*)::int as left from relay.queue_messages");
    return rows[0]?.left;
  };
  return { store, queue, handling, wake, countLeft };
}

describe("a drain", () => {
  test("a hundred wakes at once make one drain in a process, and one after it", async () => {
    const { store, wake, handling, countLeft } = await open();
    for (let index = 0; index < 40; index += 1) await enqueueBatch(store, `m${index}`);
    const sent = countQueries(store.pool);
    await Promise.all(Array.from({ length: 100 }, wake));
    expect(await readKeys(store.pool, "handled")).toHaveLength(40);
    expect(await countLeft()).toBe(0);
    expect(handling.recording.of("drain.finished")).toHaveLength(1);
    // Of each message: stored, acknowledged, and its handlers begun and settled; and a few for the drains.
    expect(sent.length).toBeLessThan(40 * 4 + 30);
  });

  test("a batch that comes alone costs four statements: begin and take, store, settle, delete and end", async () => {
    // A drain asks once more if a handler has not ended within a tenth of a second, as on a busy machine.
    const patient: Clock = { ...clock, after: (delayMs, callback) => clock.after(50 * delayMs, callback) };
    const { store, wake, countLeft } = await open(undefined, { others: { clock: patient } });
    await enqueueBatch(store, "first");
    await wake();
    await enqueueBatch(store, "alone");
    const sent = countQueries(store.pool);
    await wake();
    expect(sent).toHaveLength(4);
    expect(await readKeys(store.pool, "handled")).toHaveLength(2);
    expect(await countLeft()).toBe(0);
  });

  test("what comes while a drain begins is taken at once, not after what came before it is stored", async () => {
    const { store, queue, handling } = await open();
    const rights = openDrainRights(store.db, queue);
    const seen: string[] = [];
    let isLate = false;
    let storeFirst = () => {};
    const firstStored = new Promise<void>((resolve) => {
      storeFirst = resolve;
    });
    const drainer = createTestDrainer(store.db, {
      queues: [{ name: "postgres", queue, batchesOnly: false }],
      handling,
      others: {
        rights: {
          ...rights,
          async begin(...given) {
            const right = await rights.begin(...given);
            if (seen.length === 0 && right !== null) {
              const { keep } = right;
              right.keep = (leaseMs) => {
                if (seen.length < 2) isLate = true;
                return keep(leaseMs);
              };
              await enqueueBatch(store, "second");
              void drainer.wake();
            }
            return right;
          },
        },
        consume: {
          "instagram-ingestion": async ({ body }) => {
            seen.push(body);
            if (seen.length === 1) await firstStored;
          },
          handlers: async () => {},
          maintenance: async () => {},
        },
      },
    });
    await enqueueBatch(store, "first");
    const drained = drainer.wake();
    onTestFinished(() => drained);
    onTestFinished(storeFirst);
    await eventually("the second is taken", async () => seen.length === 2);
    expect(isLate).toBe(false);
    storeFirst();
    await drained;
  });

  test("has no place, and not fewer than none, while more handlers run than messages may be taken beside", () => {
    const running = (count: number) => new Set(Array.from({ length: count }, () => Promise.resolve()));
    expect(countFree({ active: running(0), aside: running(80) })).toBe(0);
    expect(countFree({ active: running(30), aside: running(10) })).toBe(2);
  });

  test("a wake is not lost while one drain's process is dead and the other ends", async () => {
    let waits = 0;
    const taken: string[] = [];
    const queue = {
      acknowledge: async () => {},
      giveBack: async () => {},
      take: async () => {
        if (waits === 0) return [];
        waits -= 1;
        taken.push("woken");
        return [{ id: "1", receipt: "1", route: "instagram-ingestion" as const, body: encode({}), retried: 0 }];
      },
    };
    const done = async () => {};
    const { store, wake } = await open(undefined, {
      others: {
        queues: [{ name: "sqs", queue, batchesOnly: true }],
        consume: { "instagram-ingestion": done, handlers: done, maintenance: done },
      },
    });
    await wake();
    await beginDrain(store.db, 1_500);
    const ending = await beginDrain(store.db, 60_000);
    if (ending === null) throw new Error("Both places are taken");
    // It has looked for the last time; the message and its wake come now.
    waits = 1;
    const woken = wake();
    await eventually("the wake was turned away", async () => {
      const { rowCount } = await store.pool.query("select from relay.queue_drains where wanted");
      return rowCount === 1;
    });
    await endDrain(store.db, ending);
    await woken;
    expect(taken).toEqual(["woken"]);
  });

  test("a handler's retry is made when it is due, while the drain waits for it", async () => {
    const calls: number[] = [];
    const { store, wake } = await open((_event, { attempt }) => {
      calls.push(clock.monotonicMs());
      if (attempt === 1) throw Object.assign(new Error("not yet"), { retryAfterMs: 1_500 });
    });
    await enqueueBatch(store, "late");
    void wake();
    await eventually("the second attempt succeeds", async () => (await readKeys(store.pool, "handled")).length === 1);
    const [first = 0, second = 0] = calls;
    expect(second - first).toBeGreaterThan(1_000);
  });

  test("a message that fails is given back with a delay, and given up after as many failures as are allowed", async () => {
    const { store, wake, countLeft } = await open(undefined, {
      others: {
        consume: {
          "instagram-ingestion": async () => {
            throw new RelayError("INTERNAL", "It always fails");
          },
          handlers: async () => {},
          maintenance: async () => {},
        },
      },
    });
    await enqueueBatch(store, "poison");
    await store.pool.query("update relay.queue_messages set takings = 4");
    void wake();
    const given = await eventually("it was given back", async () => {
      const { rows } = await store.pool.query<{ takings: number; dueIn: number }>(
        `select takings, extract(epoch from due_at - now())::float8 as "dueIn" from relay.queue_messages
        where leased_until is null and takings > 4`,
      );
      return rows[0];
    });
    expect(given.takings).toBe(5);
    expect(given.dueIn).toBeGreaterThan(60);
    await store.pool.query("update relay.queue_messages set due_at = now()");
    await wake();
    const { rows } = await store.pool.query<{ whole: boolean; code: string; attempts: number }>(
      "select body_whole as whole, error_code as code, attempts from relay.dead_letters",
    );
    expect(rows).toEqual([{ whole: true, code: "INTERNAL", attempts: 6 }]);
    expect(await countLeft()).toBe(0);
  });

  test("a batch that was taken often is tried with no other such one beside it, and holds up no new one", async () => {
    const running = new Set<string | null>();
    const together: number[] = [];
    const order: (string | null)[] = [];
    let free = () => {};
    const freed = new Promise<void>((resolve) => (free = resolve));
    const { store, wake, countLeft } = await open(undefined, {
      others: {
        consume: {
          "instagram-ingestion": async ({ messageId, retried }) => {
            order.push(messageId);
            if (retried === 0) return free();
            running.add(messageId);
            together.push(running.size);
            // None would be done before the new one is.
            await freed;
            running.delete(messageId);
          },
          handlers: async () => {},
          maintenance: async () => {},
        },
      },
    });
    for (let index = 0; index < 8; index += 1) await enqueueBatch(store, `often ${index}`);
    await store.pool.query(`update relay.queue_messages set takings = ${aloneFrom}`);
    await enqueueBatch(store, "new");
    await wake();
    expect(together).toEqual(Array.from({ length: 8 }, () => 1));
    expect([order.length, await countLeft()]).toEqual([9, 0]);
  });

  test("takings that met an outage count for nothing: the first failure of its own gives no batch up", async () => {
    let code: "STORE_UNAVAILABLE" | "INTERNAL" = "STORE_UNAVAILABLE";
    const { store, wake } = await open(undefined, {
      others: {
        consume: {
          "instagram-ingestion": () => Promise.reject(new RelayError(code, "It fails")),
          handlers: async () => {},
          maintenance: async () => {},
        },
      },
    });
    await enqueueBatch(store, "patient");
    // Given back for longer than a drain waits.
    await store.pool.query("update relay.queue_messages set takings = 2");
    const readTakings = async () => (await store.pool.query("select takings from relay.queue_messages")).rows;
    for (let outage = 0; outage <= takingsMax; outage += 1) {
      await store.pool.query("update relay.queue_messages set due_at = now()");
      await wake();
    }
    expect(await readTakings()).toEqual([{ takings: 2 }]);
    code = "INTERNAL";
    await store.pool.query("update relay.queue_messages set due_at = now()");
    await wake();
    expect(await readTakings()).toEqual([{ takings: 3 }]);
    expect((await store.pool.query("select from relay.dead_letters")).rowCount).toBe(0);
  });

  test("a queue that is slow to say that it is empty is not asked again for each taking from another", async () => {
    let [asked, left] = [0, 200];
    const nothing = { acknowledge: async () => {}, giveBack: async () => {} };
    const slow = { ...nothing, take: async () => ((asked += 1), []) };
    const take = async (countMax: number) =>
      Array.from({ length: Math.min(countMax, left) }, () => {
        const id = String((left -= 1));
        return { id, receipt: id, route: "instagram-ingestion" as const, body: encode({}), retried: 0 };
      });
    const done = async () => {};
    const { wake, handling } = await open(undefined, {
      others: {
        queues: [
          { name: "sqs", queue: slow, batchesOnly: true },
          { name: "postgres", queue: { ...nothing, take }, batchesOnly: false },
        ],
        consume: { "instagram-ingestion": done, handlers: done, maintenance: done },
      },
    });
    await wake();
    expect(handling.recording.of("drain.finished")).toMatchObject([{ taken: 200, failed: 0 }]);
    expect(asked).toBeLessThan(5);
  });

  test("a queue that is never empty is drained for 50 seconds, and what was taken by then is dealt with", async () => {
    const startedAt = clock.monotonicMs();
    let [taken, dealtWith] = [0, 0];
    // Each taking lasts a second of this drain's time.
    const monotonicMs = () => startedAt + taken * 1_000;
    const endless = {
      acknowledge: async () => void (dealtWith += 1),
      giveBack: async () => {},
      take: async () => {
        const id = String((taken += 1));
        return [{ id, receipt: id, route: "instagram-ingestion" as const, body: encode({}), retried: 0 }];
      },
    };
    const done = async () => {};
    const { wake, handling } = await open(undefined, {
      others: {
        queues: [{ name: "sqs", queue: endless, batchesOnly: true }],
        consume: { "instagram-ingestion": done, handlers: done, maintenance: done },
        clock: { ...clock, monotonicMs },
      },
    });
    await wake();
    expect([taken, dealtWith]).toEqual([50, 50]);
    expect(handling.recording.of("drain.finished")).toMatchObject([{ taken: 50, durationMs: 50_000 }]);
  });

  test("handlers without a place end no drain: batches beside them are stored", async () => {
    const done: (string | null)[] = [];
    const { store, wake } = await open(undefined, {
      others: {
        consume: {
          "instagram-ingestion": async ({ messageId }) => void done.push(messageId),
          handlers: () =>
            Promise.reject(new RelayError("OVERLOADED", "The handlers are busy", { retryAfterMs: 600_000 })),
          maintenance: async () => {},
        },
      },
    });
    const busy = { route: "handlers", body: encode({}), delayMs: 0, deduplicationId: null, label: "handlers" };
    for (let index = 0; index < 20; index += 1) await enqueueMessage(store.db, busy);
    for (let index = 0; index < 50; index += 1) await enqueueBatch(store, `beside ${index}`);
    await wake();
    expect(done).toHaveLength(50);
  });

  test("a message whose takings ended without a word is given up untried; an outage alone gives nothing up", async () => {
    const { store, wake, countLeft } = await open();
    await enqueueBatch(store, "killer");
    await store.pool.query(`update relay.queue_messages set takings = ${takingsMax}`);
    await wake();
    expect(await readKeys(store.pool, "stored")).toEqual([]);
    const { rows } = await store.pool.query("select status, attempts from relay.dead_letters");
    expect(rows).toEqual([{ status: 0, attempts: takingsMax }]);
    expect(await countLeft()).toBe(0);

    const { queue, handling } = await open();
    const message = { id: "1", receipt: "1.x", route: "handlers" as const, body: encode({}), retried: takingsMax - 1 };
    const options = {
      consume: { handlers: () => Promise.reject(new RelayError("STORE_UNAVAILABLE", "The database is unavailable")) },
      giveUp: async () => expect.unreachable(),
      trace: noTrace,
      stopping: new AbortController().signal,
      clock,
      random: Math.random,
      log: handling.log,
    };
    const given: number[] = [];
    const watched = { ...queue, giveBack: async (_message: unknown, delayMs: number) => void given.push(delayMs) };
    const consume = { ...options.consume, "instagram-ingestion": async () => {}, maintenance: async () => {} };
    const drained = { name: "postgres", queue: watched, batchesOnly: false };
    expect((await drainMessage(drained, message, () => {}, { ...options, consume })).outcome).toBe("stop");
    expect(given).toHaveLength(1);
  });

  test("an acknowledgement that the queue does not hear is repeated, before the lease ends", async () => {
    const { queue, handling, store, countLeft } = await open();
    await enqueueBatch(store, "deaf");
    const [message] = await queue.take(1, 60_000, 5_000);
    let calls = 0;
    const deaf = {
      ...queue,
      acknowledge: async (...given: Parameters<typeof queue.acknowledge>) => {
        calls += 1;
        if (calls === 1) throw new Error("The queue restarts");
        return queue.acknowledge(...given);
      },
    };
    const done = async () => {};
    const options = {
      consume: { "instagram-ingestion": done, handlers: done, maintenance: done },
      giveUp: done,
      trace: noTrace,
      stopping: new AbortController().signal,
      clock,
      random: Math.random,
      log: handling.log,
    };
    const drained = { name: "postgres", queue: deaf, batchesOnly: false };
    if (message === undefined) throw new Error("Nothing was taken");
    const { outcome, acknowledged } = await drainMessage(drained, message, () => {}, options);
    await acknowledged;
    expect(outcome).toBe("done");
    expect([calls, await countLeft()]).toEqual([2, 0]);

    // A process that is to stop does not wait: the message comes again. This clock would let it wait without an end.
    calls = 0;
    const stopped = { ...options, stopping: AbortSignal.abort(), clock: createManualClock() };
    const last = await drainMessage(drained, message, () => {}, stopped);
    await last.acknowledged;
    expect([last.outcome, calls]).toEqual(["done", 1]);
  });

  test("a message to run handlers that is given up is no dead letter: maintenance finds its events", async () => {
    const { store, wake, countLeft } = await open(() => {
      // Later than the drain would wait for it.
      throw Object.assign(new Error("for the first time"), { retryAfterMs: 3_600_000 });
    });
    await enqueueBatch(store, "open");
    await wake();
    const [work] = await readWork(store.pool);
    await store.pool.query("delete from relay.queue_messages");
    const body = new TextEncoder().encode(encodeHandlersMessage({ eventIds: [work?.id ?? 0], replay: null }));
    const message = { route: "handlers", body, delayMs: 0, deduplicationId: null, label: "handlers" };
    await enqueueMessage(store.db, message);
    await store.pool.query(`update relay.queue_messages set takings = ${takingsMax}`);
    await wake();
    expect((await readWork(store.pool))[0]?.queuedFor).toBeNull();
    expect((await store.pool.query("select from relay.dead_letters")).rowCount).toBe(0);
    expect(await countLeft()).toBe(0);
  });
});
