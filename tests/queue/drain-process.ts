// A process that drains one queue, again and again, until it is stopped. It prints what it begins; where it is asked to, it
// comes to no end there.
import { sleep, systemClock } from "#platform/clock.ts";
import type { PulledQueue } from "#queue/pulled-queue.ts";
import { openDatabase } from "#store/connection/database.ts";

import { createHandling } from "../support/handling.ts";
import { createTestDrainer } from "./drain-rig.ts";
import { openQueue, type QueueSettings } from "./open-queue.ts";

const { databaseUrl, settings, leaseMs, hangsAt } = JSON.parse(process.argv[2] ?? "{}") as {
  databaseUrl: string;
  settings: QueueSettings;
  /** Of each message: a test does not wait for the product's. */
  leaseMs: number;
  hangsAt: "take" | "acknowledge" | null;
};

const hang = (at: string) => {
  process.stdout.write(`${at}\n`);
  return new Promise<never>(() => {});
};

const { db } = openDatabase(databaseUrl);
const drained = openQueue(settings, db);
const { queue } = drained;
const hanging: PulledQueue = {
  async take(countMax, _leaseMs, timeoutMs) {
    const taken = await queue.take(countMax, leaseMs, timeoutMs);
    return taken.length > 0 && hangsAt === "take" ? hang("take") : taken;
  },
  acknowledge: (message, timeoutMs) =>
    hangsAt === "acknowledge" ? hang("acknowledge") : queue.acknowledge(message, timeoutMs),
  giveBack: queue.giveBack,
};
const drainer = createTestDrainer(db, { queues: [{ ...drained, queue: hanging }], handling: createHandling(db) });
process.stdout.write("ready\n");
for (;;) {
  await drainer.wake();
  await sleep(systemClock, 100);
}
