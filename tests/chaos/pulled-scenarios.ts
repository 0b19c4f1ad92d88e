/** What goes wrong with a queue that is drained: the one in Postgres, Redis or SQS. */
import { Client } from "pg";

import type { ChaosQueue } from "./own-queue.ts";
import type { Rig } from "./rig.ts";
import type { Scenario } from "./scenario.ts";

/** Dead drains hold their right for as long as the product's own would. */
const rightSeconds = 10;
const holdEveryMs = 500;

/** Of the queue in Postgres. */
const enqueueScenarios: readonly Scenario[] = [
  {
    name: "enqueue-down",
    title: "the route that commits batches is reset, every other time after it has committed",
    requirement: "all",
    async disturb({ entrance }, stage) {
      await stage.begin();
      entrance.setFault(({ path }, index) =>
        path === "/api/internal/enqueue" ? { forwards: index % 2 === 0, instead: "reset" } : null,
      );
      await stage.end();
      entrance.setFault(null);
    },
  },
];

const ownQueueScenarios: readonly Scenario[] = [
  {
    name: "queue-down",
    title: "the queue refuses connections",
    requirement: "all",
    async disturb({ ownQueue }, stage) {
      await stage.begin();
      await ownQueue?.goDown();
      await stage.end();
      await ownQueue?.comeUp();
    },
  },
  {
    name: "queue-unanswered",
    title: "the queue does what it is asked for, and every other answer is lost",
    requirement: "all",
    async disturb({ ownQueue }, stage) {
      await stage.begin();
      ownQueue?.setFault((_request, index) => (index % 2 === 0 ? null : { forwards: true, instead: "reset" }));
      await stage.end();
      ownQueue?.setFault(null);
    },
  },
];

const drainScenarios: readonly Scenario[] = [
  {
    name: "drains-dead",
    title: "every drain has died with its right, so that nothing is taken",
    requirement: "all",
    async disturb(rig, stage) {
      // From the beginning: a drain that has its right already would take what comes for three seconds more.
      let isOver = false;
      const { ended } = await holdRights(rig, () => isOver, stage.wait);
      try {
        await stage.begin();
        await stage.end();
        await stage.until("batches wait", async () => (await rig.countWaiting()) > 0);
        stage.note("waited", await rig.countWaiting());
      } finally {
        isOver = true;
        await ended;
      }
    },
  },
];

/** By the queue. */
export const pulledScenarios = {
  postgres: [...enqueueScenarios, ...drainScenarios],
  redis: [...ownQueueScenarios, ...drainScenarios],
  sqs: [...ownQueueScenarios, ...drainScenarios],
} as const satisfies Record<Exclude<ChaosQueue, "qstash">, readonly Scenario[]>;

/** Resolves once the rights are held, with the promise of their end. */
async function holdRights({ databaseUrl }: Rig, isOver: () => boolean, wait: (ms: number) => Promise<void>) {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const take = () =>
    client.query(
      `update relay.queue_drains set lease_id = gen_random_uuid(), leased_until = now() + $1 * interval '1 second'
      where slot > 0`,
      [rightSeconds],
    );
  await take();
  const hold = async () => {
    try {
      while (!isOver()) {
        await wait(holdEveryMs);
        await take();
      }
    } finally {
      await client.end();
    }
  };
  return { ended: hold() };
}
