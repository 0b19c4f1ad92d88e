/**
 * The short version of `npm run chaos`: some of its faults, few deliveries, one server for all. The server's limits are
 * short, and QStash is asked to come again after one second instead of its own twelve. TEST_CHAOS=more runs further faults.
 */
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { createRandom } from "../support/mutate.ts";

import { readRows } from "./account.ts";
import { buildWithControlledHandlers } from "./controlled-handlers.ts";
import type { Effects } from "./effects.ts";
import { planDeliveries } from "./plan-deliveries.ts";
import type { ChaosQueue } from "./own-queue.ts";
import { openRig, type Rig } from "./rig.ts";
import { type RunOptions, runScenario } from "./run-scenario.ts";
import type { Scenario } from "./scenario.ts";
import { scenariosOf } from "./scenarios.ts";

const options: RunOptions = {
  deliveries: 30,
  rate: 60,
  retryDelayMs: 500,
  seed: 1,
  faultMsMin: 800,
  restLimitMs: 60_000,
  onProgress: () => {},
};

let rig: Rig;
beforeAll(async () => {
  rig = await openRig({
    postgresUrl: inject("postgresUrl"),
    env: { PUBLISH_TIMEOUT_MS: "500", PUBLISH_RETRIES: "1", PUBLISH_BUDGET_MS: "600", QSTASH_RETRIES: "60" },
    retryAfterSeconds: 1,
  });
});
afterAll(() => rig.stop());

/** What shows that the server met the fault, without which it proves nothing. The fault lasts until the first of them shows. */
type Signs = Record<string, (effects: Effects) => (number | undefined)[]>;

/** Each of them meets the product in another way. */
const usual: Signs = {
  "qstash-reset": ({ met, duplicatesFound }) => [met.qstash, duplicatesFound],
  "qstash-down": ({ outcomes, failedAttempts }) => [outcomes["fallback"], failedAttempts["PUBLISH_NETWORK"]],
  "database-cut": ({ met }) => [met.cut],
  "consumer-failing": ({ met, qstash, duplicatesFound }) => [met.entrance, qstash.retried, duplicatesFound],
  "server-restarted": ({ ended, met }) => [ended, met.qstash],
};

/** What these show of the product shows in the faults above, too, or in the tests of its parts. */
const further: Signs = {
  "qstash-silent": ({ outcomes, failedAttempts }) => [outcomes["fallback"], failedAttempts["PUBLISH_TIMEOUT"]],
  "database-down": ({ met, failedIngestions }) => [met.cut, failedIngestions["STORE_UNAVAILABLE"]],
  "database-frozen": ({ met }) => [met.cut],
};

const signs = process.env["TEST_CHAOS"] === "more" ? further : usual;

test.each(Object.keys(signs))("every acknowledged event is stored once: %s", { timeout: 90_000 }, async (name) => {
  const signsIn = (effects: Effects) => signs[name]?.(effects) ?? [];
  const isMet = (effects: Effects) => (signsIn(effects)[0] ?? 0) > 0;
  const { account, effects, failures } = await runScenario(findScenario(name), rig, { ...options, isMet });
  expect(failures).toEqual([]);
  expect(account).toMatchObject({ sent: 30, acked: 30, ingested: 30, duplicates: 0, lost: [] });
  for (const sign of signsIn(effects)) expect(sign).toBeGreaterThan(0);
});

/** Of a product of its own, which takes a minute to build. */
describe.runIf(process.env["TEST_CHAOS"] === "more")("with the queue in Postgres", () => {
  let pulled: Rig;
  beforeAll(async () => {
    const folder = await buildWithControlledHandlers(() => {}, "postgres");
    pulled = await openRig({
      postgresUrl: inject("postgresUrl"),
      queue: "postgres",
      folder,
      hasOwnPostgres: true,
      env: { PUBLISH_TIMEOUT_MS: "500", PUBLISH_RETRIES: "1", PUBLISH_BUDGET_MS: "600", ACK_MODE: "durable" },
      retryAfterSeconds: 1,
    });
    return () => pulled.stop();
  }, 300_000);

  test.each(["enqueue-down", "drains-dead", "handlers-killed", "database-restarted"])(
    "every acknowledged event is stored once: %s",
    { timeout: 90_000 },
    async (name) => {
      const { account, failures } = await runScenario(findScenario(name, "postgres"), pulled, options);
      expect(failures).toEqual([]);
      expect(account).toMatchObject({ sent: 30, acked: 30, ingested: 30, duplicates: 0, lost: [] });
    },
  );
});

describe("the account", () => {
  test("reports an event that was deleted and an event that is stored twice", { timeout: 90_000 }, async () => {
    const random = createRandom(options.seed);
    const planned = planDeliveries("tampered", options.deliveries, { random, nowMs: 0 }).flatMap(({ keys }) => keys);
    const tampered: Scenario = {
      name: "tampered",
      title: "one event is deleted and another is doubled",
      requirement: "all",
      async disturb({ databaseUrl }) {
        const isHandled = async () => {
          const rows = await readRows(databaseUrl, "tampered");
          return rows.length === planned.length && rows.every(({ handled }) => handled);
        };
        await eventually("every planned event is handled", isHandled, 30_000);
        await tamper(databaseUrl, planned[0] ?? "", planned[1] ?? "");
      },
    };
    const { account, failures } = await runScenario(tampered, rig, options);
    expect(account.lost.flatMap(({ missing }) => missing)).toEqual([planned[0]]);
    expect(account.duplicates).toBe(1);
    expect(failures).toEqual(["1 duplicates", "1 lost"]);
  });
});

function findScenario(name: string, queue: ChaosQueue = "qstash"): Scenario {
  const found = scenariosOf(queue).find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`There is no scenario ${name}`);
  return found;
}

async function tamper(databaseUrl: string, deletedKey: string, doubledKey: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query("delete from relay.events where key = $1", [deletedKey]);
    await client.query(
      `insert into relay.events
        select (jsonb_populate_record(e, jsonb_build_object('id', nextval('relay.event_ids')))).*
        from relay.events e where key = $1`,
      [doubledKey],
    );
  } finally {
    await client.end();
  }
}
