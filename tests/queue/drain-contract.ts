import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { encodeBatches } from "#queue/encode-batch.ts";
import type { QueuePublisher } from "#queue/publisher.ts";
import { openDatabase, type OpenDatabase } from "#store/connection/database.ts";

import { bundle } from "../support/bundle.ts";
import { eventually } from "../support/eventually.ts";
import { createMigratedDatabase } from "../support/postgres.ts";
import { testBatch, testEvent } from "../support/store.ts";
import { readKeys } from "../support/work.ts";
import { openQueue, type QueueSettings } from "./open-queue.ts";

export interface DrainRig {
  publisher: QueuePublisher;
  /** By which a process opens the same queue. */
  settings: QueueSettings;
  close: () => Promise<void>;
}

const timeoutMs = 5_000;
/** SQS counts whole seconds. */
const leaseMs = 1_000;

/** The whole way: publisher, queue, a draining process, Postgres. One rig serves all tests. `start` gets the store's database. */
export function testDrain(name: string, start: (store: OpenDatabase) => Promise<DrainRig>): void {
  describe(`draining ${name}`, () => {
    let rig: DrainRig;
    let store: OpenDatabase & { url: string };
    beforeAll(async () => {
      const { url, drop } = await createMigratedDatabase();
      store = { ...openDatabase(url), url };
      rig = await start(store);
      return async () => {
        await rig.close();
        await store.close();
        await drop();
      };
    });

    const publish = async (...mids: string[]) => {
      const events = mids.map((mid) => testEvent(mid, { senderId: `from ${mid}` }));
      const id = crypto.randomUUID();
      const { batch: _batch, ...facts } = testBatch(id, events).delivery;
      for (const { body, place } of encodeBatches(facts, events, rig.publisher.bytesMax)) {
        const batch = { body, deduplicationId: `${id}-${place[0]}`, traceparent: null };
        await rig.publisher.publish(batch, timeoutMs);
      }
    };
    const startProcess = async (hangsAt: "take" | "acknowledge" | null) => {
      // The one before has died with a right to drain; tests/store/queue/queue-drains.test.ts waits for the end of such a right.
      await store.pool.query("update relay.queue_drains set leased_until = now()");
      const script = await bundle(new URL("drain-process.ts", import.meta.url));
      // While nothing is acknowledged it takes the same messages again and again; after six times it would give them up.
      const leases = { leaseMs: hangsAt === "acknowledge" ? 3 * leaseMs : leaseMs };
      const given = JSON.stringify({ databaseUrl: store.url, settings: rig.settings, ...leases, hangsAt });
      return startDraining(spawn(process.execPath, [script, given], { stdio: ["ignore", "pipe", "inherit"] }));
    };
    const handled = async (mids: readonly string[]) =>
      eventually(
        `all events are handled, each once: ${mids.join()}`,
        async () => {
          const keys = await readKeys(store.pool, "handled");
          return mids.every((mid) => keys.includes(`message:1:${mid}`)) && keys;
        },
        15_000,
      );
    const isEmpty = () =>
      eventually("the queue is empty", async () => {
        const left = await openQueue(rig.settings, store.db).queue.take(10, leaseMs, timeoutMs);
        return left.length === 0;
      });

    test("what was published is stored and handled once, whenever the draining process is killed", async () => {
      const mids = Array.from({ length: 5 }, (_, index) => `killed-${index}`);
      for (const mid of mids) await publish(mid);
      const toTake = await startProcess("take");
      await toTake.heard("take");
      await toTake.kill();
      const toAcknowledge = await startProcess("acknowledge");
      await toAcknowledge.heard("acknowledge");
      // Events whose handlers ran would wait for maintenance, which nothing calls here.
      await handled(mids);
      await toAcknowledge.kill();
      await publish("afterwards");
      await startProcess(null);
      const keys = await handled([...mids, "afterwards"]);
      expect(keys.filter((key) => key.includes("killed"))).toHaveLength(mids.length);
      await isEmpty();
    }, 60_000);

    test("the same batch twice, and many events at once, are each stored once", async () => {
      await startProcess(null);
      const mids = Array.from({ length: 300 }, (_, index) => `many-${index}`);
      await publish(...mids);
      await publish("many-0", "many-1");
      const keys = await handled(mids);
      expect(keys.filter((key) => key.includes("many"))).toHaveLength(mids.length);
      await isEmpty();
    });

    test("a message that is no batch becomes a dead letter with its bytes, and does not come again", async () => {
      await startProcess(null);
      const body = new TextEncoder().encode('{"no":"batch","text":"\ud83d\ude00\u0001"}');
      await rig.publisher.publish({ body, deduplicationId: crypto.randomUUID(), traceparent: null }, timeoutMs);
      const letter = await eventually("the dead letter is there", async () => {
        const { rows } = await store.pool.query<{ body: Buffer }>("select body from relay.dead_letters");
        return rows[0];
      });
      expect(new Uint8Array(letter.body)).toEqual(body);
      await isEmpty();
    });
  });
}

/** The process ends with the test. */
function startDraining(child: ChildProcess & { stdout: NonNullable<ChildProcess["stdout"]> }) {
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  const closed = once(child, "close");
  const kill = async () => {
    child.kill("SIGKILL");
    await closed;
  };
  onTestFinished(kill);
  return { kill, heard: (line: string) => eventually(`the process says ${line}`, () => lines.includes(line)) };
}
