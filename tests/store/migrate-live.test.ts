/** The move from the tables of the release before, while instances of it continue to work. */
import { expect, test } from "vitest";

import { systemClock } from "#platform/clock.ts";
import { migrateStore } from "#store/migrate.ts";

import { eventually } from "../support/eventually.ts";
import { eventsOf, fillBefore, openBefore, startInstanceBefore } from "./before.ts";
import { findLost } from "./find-lost.ts";
import { ingestAsBefore } from "./ingest-as-before.ts";
import { startInstance } from "./instance.ts";

/** Ingestion may wait for so long; a lock is given up after 1.5 s. */
const gapMaxMs = 2_000;

const deliveriesMax = 6;

/** TEST_MIGRATED_EVENTS=1000000 makes the first test a measurement, which prints its figures. */
const isMeasured = process.env["TEST_MIGRATED_EVENTS"] !== undefined;
const movedEvents = Number(process.env["TEST_MIGRATED_EVENTS"] ?? 3_000);
const testLimitMs = isMeasured ? 3_600_000 : 30_000;

/** The move is of the past: in the usual run one test of it, and in `.ci/run` all. */
const isFurther = process.env["TEST_MOVES"] === "more";

test(
  "instances of the release before ingest all the time, and nothing is lost or stored twice",
  async () => {
    const { url, client } = await openBefore();
    await fillBefore(client, movedEvents);
    const load = ingestAsBefore(url, 3);
    await eventually("the instances ingest", () => load.ingested() > 20);
    const startedMs = systemClock.monotonicMs();
    await migrateStore(url);
    const tookMs = systemClock.monotonicMs() - startedMs;
    const atSwitch = load.ingested();
    await eventually("they ingest after the move, too", () => load.ingested() > atSwitch + 20);
    const { handled, failures, longestGapMs, slowestMs, ingested } = await load.stop();
    if (isMeasured) report({ movedEvents, tookMs, ingested, handled: handled.length, longestGapMs, slowestMs });
    expect(failures).toEqual([]);
    expect(longestGapMs).toBeLessThan(gapMaxMs);
    expect(new Set(handled).size).toBe(handled.length);
    expect(await findLost(client)).toEqual([]);
    const { rows } = await client.query(`select count(*) = count(distinct key) as once,
      count(*) = (select count(*) from relay.event_keys) as keys from relay.events`);
    expect(rows).toEqual([{ once: true, keys: true }]);
  },
  testLimitMs,
);

/**
 * Delivers again while it is refused, as QStash does: the two releases take their locks in different orders, so each may be
 * refused for the other, more than once.
 */
async function deliver<T>(ingest: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ingest();
    } catch (thrown) {
      if (attempt === deliveriesMax) throw thrown;
    }
  }
}

test.runIf(isFurther)("both releases together store and handle each event once", async () => {
  const { url, client } = await openBefore();
  await fillBefore(client, 200);
  await migrateStore(url);
  const [old, now] = [startInstanceBefore(url), startInstance(url)];
  const handled: string[] = [];
  const note = (event: unknown) => void handled.push((event as { key: string }).key);
  for (let turn = 0; turn < 10; turn++) {
    const events = eventsOf(`both-${turn}`, 3);
    const [, byNow] = await Promise.all([
      deliver(() => old.ingest(`both-${turn}`, events, note)),
      deliver(() => now.ingest(`both-${turn}`, events)),
    ]);
    handled.push(...byNow);
  }
  const { rows: stored } = await client.query("select key from relay.events where key like 'message:1:both%'");
  expect(stored).toHaveLength(30);
  const { rows: open } = await client.query(
    "select event_id from relay.event_work w join relay.events e on e.id = w.event_id where key like 'message:1:both%'",
  );
  expect(open).toEqual([]);
  expect(new Set(handled)).toEqual(new Set(stored.map(({ key }) => key)));
  expect(handled).toHaveLength(30);
});

test.runIf(isFurther)(
  "an event that the new release leases or has handled is left alone by the release before, and the reverse",
  async () => {
    const { url, client } = await openBefore();
    const [old, now] = [startInstanceBefore(url), startInstance(url)];
    const fail = () => {
      throw new TypeError("no");
    };
    await old.ingest("d1", eventsOf("a", 2), fail);
    await migrateStore(url);
    const { rows } = await client.query<{ id: number }>("select id::int from relay.events order by id");
    const ids = rows.map(({ id }) => id);
    const [first = 0, second = 0] = ids;

    const { leased } = await now.lease([first]);
    expect(leased).toMatchObject([{ id: first, attempt: 2, conversation: "1:user" }]);
    expect(await old.ingest("d1", eventsOf("a", 2), fail)).toEqual({ handled: 0, failed: 1, unfinished: 1 });
    const { rows: work } = await client.query(
      "select attempts, error_name, leased_until is not null as leased from relay.event_work order by event_id",
    );
    expect(work).toEqual([
      { attempts: 2, error_name: "TypeError", leased: true },
      { attempts: 2, error_name: "TypeError", leased: false },
    ]);

    expect(await now.handle([second])).toBe(1);
    await client.query("update relay.event_work set leased_until = null");
    expect(await old.ingest("d1", eventsOf("a", 2))).toEqual({ handled: 1, failed: 0, unfinished: 0 });
    expect((await client.query("select from relay.event_work")).rowCount).toBe(0);
    expect((await client.query("select from public.events where handled_at is null")).rowCount).toBe(0);
  },
);

test.runIf(isFurther)(
  "what the release before writes after the move arrives: reports, erasures, counts, dead letters",
  async () => {
    const { url, client } = await openBefore();
    await fillBefore(client, 20);
    await client.query("insert into handler_counts values ('replies', 2)");
    await client.query("insert into data_deletions values ('r1', 'code', 'user-7', '2026-01-01', 0, null)");
    await migrateStore(url);
    await startInstance(url).ingest("new", [{ ...eventsOf("new", 1)[0]!, senderId: "user-7" }]);
    await client.query(`
    insert into deliveries (id, runtime, cold_start, probe, received_at, body_bytes, outcome, ack_ms, reported_at)
      values ('d1', 'edge', false, false, now(), 9, 'lost', 3, now());
    update deliveries set outcome = 'refused' where id = 'd1';
    update events set data = '{"erased":"data-deletion"}', sender_id = null, erased_at = now() where sender_id = 'user-7';
    update data_deletions set erased = 1, completed_at = now(), user_id = null where request_id = 'r1';
    insert into handler_counts values ('replies', 1) on conflict (name) do update set count = handler_counts.count + 1;
    insert into drift values ('message', '$.x', 'unknown', 'string', 1, now(), now(), 3);
    insert into dead_letters values ('dlq-1', 'msg_1', 'd1', 'https://relay.example/x', 503, 5, now());
    insert into refusals (at, runtime, reason, count) values (now(), 'edge', 'SIGNATURE_INVALID', 4);
    insert into spent_seals values ('seal', now());
    insert into deauthorizations values ('r2', 'user-8', null, now())`);
    const { rows } = await client.query(`select
    (select outcome from relay.deliveries where id = relay_move.delivery_uuid('d1')) as outcome,
    (select json_agg(data::text order by id) from relay.events where erased_at > '2026-06-01') as erased,
    (select count(*)::int from relay.events where sender_id = 'user-7') as left,
    (select erased from relay.data_deletions) as "erasedCount",
    (select count(*)::int from relay.erased_people) as people,
    (select json_agg(count) from relay.handler_count_increments) as counts,
    (select count::int from relay.handler_counts) as counted,
    (select count(*)::int from relay.drift_findings) as drift,
    (select json_agg(dlq_id) from relay.dead_letters) as letters,
    (select sum(count)::int from relay.refusals) as refusals,
    (select id from relay.spent_seals) as seal,
    (select user_id from relay.deauthorizations) as "userId"`);
    expect(rows).toEqual([
      {
        outcome: "lost",
        erased: ['{"erased":"data-deletion"}', '{"erased":"data-deletion"}'],
        left: 0,
        erasedCount: 1,
        people: 1,
        counts: [1],
        counted: 2,
        drift: 1,
        letters: ["dlq-1"],
        refusals: 4,
        seal: "seal",
        userId: "user-8",
      },
    ]);
  },
);

test.runIf(isFurther)("what the new release erases is erased in the old tables, too", async () => {
  const { url, client } = await openBefore();
  await fillBefore(client, 20);
  await client.query("insert into deauthorizations values ('r2', 'user-7', null, now())");
  await migrateStore(url);
  await client.query("update relay_move.old_writes set at = now() - interval '2 hours'");
  await client.query(`
    update relay.events set data = '{"erased":"data-deletion"}', sender_id = null, erased_at = now() where sender_id = 'user-7';
    update relay.deauthorizations set user_id = null`);
  const { rows } = await client.query(`select
    (select data::text from public.events where id = 7) as data,
    (select count(*)::int from public.events where sender_id = 'user-7') as left,
    (select count(*)::int from public.deauthorizations where user_id is not null) as people,
    (select count(*)::int from relay_move.old_writes where at > now() - interval '1 hour') as "oldWrites"`);
  expect(rows).toEqual([{ data: '{"erased":"data-deletion"}', left: 0, people: 0, oldWrites: 0 }]);
});

function report(figures: Record<string, number>): void {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
