import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { systemClock } from "#platform/clock.ts";

import { eventually } from "../support/eventually.ts";
import { startTestRelay } from "../support/relay.ts";

test(
  "twenty slow reads at once are refused in time, and ingestion and health do not wait for them",
  { timeout: 60_000 },
  async () => {
    const relay = await startTestRelay({ DATABASE_POOL_MAX: "1" });
    onTestFinished(() => relay.stop());
    const client = new Client({ connectionString: relay.databaseUrl });
    await client.connect();
    onTestFinished(() => client.end());
    // Only that list reads this table.
    await client.query(`insert into relay.drift values ('message', 'a', 'unknown_field', 'string', 1, now(), now(), 1);
    alter table relay.drift rename to drift_stored;
    create view relay.drift as select stored.* from pg_sleep(60), relay.drift_stored as stored`);

    const deliver = async (mid: string) => {
      const messaging = [{ message: { mid } }];
      const body = JSON.stringify({ object: "instagram", entry: [{ id: "17841400000000001", time: 1, messaging }] });
      expect((await relay.deliver("node", body)).status).toBe(200);
    };
    const handled = async () =>
      (await client.query("select from relay.deliveries where handled_at is not null")).rowCount ?? 0;
    const health = async () => (await fetch(`${relay.baseUrl}/api/health`)).status;
    // The first calls load what they need, for which no read is to blame.
    await deliver("first");
    await eventually("the first event is handled", async () => (await handled()) === 1);
    expect(await health()).toBe(200);

    const reading = Promise.all(Array.from({ length: 20 }, () => relay.ops("drift")));
    const startedMs = systemClock.monotonicMs();
    await deliver("second");
    await eventually("the second event is handled", async () => (await handled()) === 2, 4_000);
    expect(await health()).toBe(200);
    const { rows } = await client.query<{ open: number }>(
      "select count(*)::int as open from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    );
    // One for ingestion and two for reads.
    expect(rows[0]?.open).toBeLessThanOrEqual(3);
    // All that while the reads were still waiting: the server's limit for one is five seconds.
    expect(systemClock.monotonicMs() - startedMs).toBeLessThan(5_000);

    const refusals = (await reading).map(({ error }) => error);
    expect(refusals).toHaveLength(20);
    for (const error of refusals) expect(error).toMatchObject({ code: "STORE_UNAVAILABLE" });
  },
);
