/** What the move from the tables of earlier releases makes of each kind of row. */
import { createHash } from "node:crypto";

import type { Client } from "pg";
import { expect, test } from "vitest";

import { deliveryUuid, hashUuid } from "#store/ingest/delivery-uuid.ts";
import { migrateStore } from "#store/migrate.ts";
import { ensurePartitions, partitionStart } from "#store/retention/partitions.ts";

import { testEvent } from "../support/store.ts";
import { eventsOf, fillBefore, openBefore, startInstanceBefore } from "./before.ts";

async function readAll(client: Client, query: string): Promise<unknown[]> {
  return (await client.query(query)).rows;
}

test("every event arrives with its key, and the open ones with work", async () => {
  const { url, client } = await openBefore();
  await fillBefore(client, 2_000);
  await migrateStore(url);

  const before = await readAll(
    client,
    `select id, key, kind, account_id, sender_id, recipient_id, occurred_at, sent_at, standby, test, drifted, data::text,
       delivery_id, ingested_at, erased_at from public.events order by id`,
  );
  const after = await readAll(
    client,
    `select id, key, kind, account_id, sender_id, recipient_id, occurred_at, sent_at, standby, test, drifted, data::text,
       delivery_id, ingested_at, erased_at from relay.events order by id`,
  );
  expect(after).toHaveLength(2_000);
  expect(after).toEqual(before);
  const keys = await readAll(
    client,
    "select e.key, k.hash from relay.event_keys k join relay.events e on e.id = k.event_id",
  );
  expect(keys).toHaveLength(2_000);
  for (const { key, hash } of keys as { key: string; hash: string }[]) expect(hash).toBe(hashUuid(key));

  const open = "handled_at is null and erased_at is null";
  expect(await readAll(client, "select event_id from relay.event_work order by 1")).toEqual(
    await readAll(client, `select id as event_id from public.events where ${open} order by 1`),
  );
  expect(
    await readAll(client, "select * from relay.event_work where event_id in (50, 100) order by event_id"),
  ).toMatchObject([
    { attempts: 0, deaths: 0, state: "open", error_name: null, first_failed_at: null, conversation: "1:user-50" },
    { attempts: 8, error_name: "TypeError", first_failed_at: expect.any(Date), leased_until: null },
  ]);
  expect(await readAll(client, "select from relay.event_work where next_attempt_at > now()")).toEqual([]);
});

test("every delivery arrives as one row, and links only to what another one had brought", async () => {
  const { url, client } = await openBefore();
  await fillBefore(client, 500);
  await migrateStore(url);
  expect(await readAll(client, "select count(*)::int as count from relay.deliveries")).toEqual([{ count: 500 }]);
  const [delivery] = await readAll(client, "select * from relay.deliveries where first_event_id = 20");
  expect(delivery).toMatchObject({
    via: "queue",
    batches: 1,
    inserted: 1,
    duplicates: 1,
    ingest_ms: 12.5,
    last_event_id: "20",
    handled_at: new Date("2026-01-01T00:00:21Z"),
    region: "fra1",
    outcome: "published",
    ack_ms: 2.5,
    attempts: 1,
  });
  expect(await readAll(client, "select event_id::int from relay.duplicate_events order by 1 limit 2")).toEqual([
    { event_id: 9 },
    { event_id: 19 },
  ]);
  expect(await readAll(client, "select count(*)::int as count from relay.duplicate_events")).toEqual([{ count: 50 }]);
});

test("what the release before stored itself is found again, odd values included", async () => {
  const { url, client } = await openBefore();
  const old = startInstanceBefore(url);
  const nul = testEvent("nul", { data: { text: "a\u0000b \ud800 c" }, senderId: "se\u0000nder" });
  const huge = testEvent("huge", { occurredAtMs: 1.8e15 });
  const deep = testEvent("deep", { data: JSON.parse(`${"[".repeat(6_000)}${"]".repeat(6_000)}`) });
  const upper = "0190F5CC-0000-4000-8000-00000000ABCD";
  await old.ingest("delivery of a test", [nul, huge, deep]);
  await old.ingest(upper, [testEvent("nul")]);
  await old.ingest("large", eventsOf("large-0", 3), undefined, [0, 2]);
  await old.ingest("large", eventsOf("large-1", 2), undefined, [1, 2]);
  const texts = await readAll(client, "select key, data::text as data, account_id from public.events order by id");
  await migrateStore(url);

  expect(await readAll(client, "select key, data::text as data, account_id from relay.events order by id")).toEqual(
    texts,
  );
  expect(await readAll(client, "select id from relay.deliveries order by received_at, id")).toEqual(
    [deliveryUuid("delivery of a test"), upper.toLowerCase(), deliveryUuid("large")].toSorted().map((id) => ({ id })),
  );
  const [large] = await readAll(client, `select * from relay.deliveries where id = '${deliveryUuid("large")}'`);
  expect(large).toMatchObject({ batches: 2, inserted: 3, handled_at: expect.any(Date), outcome: null, via: "queue" });
  expect(await readAll(client, "select delivery_id, batch_index, inserted from relay.delivery_batches")).toEqual([
    { delivery_id: deliveryUuid("large"), batch_index: 1, inserted: 2 },
  ]);
  expect(await readAll(client, "select delivery_id from relay.duplicate_events")).toEqual([
    { delivery_id: upper.toLowerCase() },
  ]);
});

test("everything else arrives, too", async () => {
  const { url, client } = await openBefore();
  await client.query(`
    insert into handler_counts values ('replies', 9007199254740991);
    insert into drift values ('message', '$.x', 'unknown', 'string', 3, '2026-01-01', '2026-01-02', 7);
    insert into refusals (at, runtime, reason, count) values ('2026-01-01', 'edge', 'SIGNATURE_INVALID', 4), ('2026-01-02', 'nodejs', 'x', 1);
    insert into dead_letters values ('dlq-1', 'msg_1', 'd1', 'https://relay.example/x', 503, 5, '2026-01-01'),
      ('dlq-2', 'msg_2', null, 'https://relay.example/x', 0, 5, '2026-01-02');
    insert into data_deletions values ('r1', 'code', 'u1', '2026-01-01', 2, null);
    insert into deauthorizations values ('r2', 'u1', null, '2026-01-01');
    insert into spent_seals values ('seal', '2026-01-01');
    insert into lifecycle_experiments values ('x', '2026-01-01');
    insert into lifecycle_runs (experiment_id, runtime, strategy, due_after_ms) values ('x', 'edge', 'waitUntil', 5)`);
  await migrateStore(url);
  for (const [table, columns] of [
    ["handler_counts", "*"],
    ["drift", "*"],
    ["refusals", "at, runtime, reason, count"],
    ["data_deletions", "request_id, code, user_id, requested_at, erased, completed_at"],
    ["deauthorizations", "*"],
    ["spent_seals", "*"],
    ["lifecycle_experiments", "*"],
    ["lifecycle_runs", "*"],
  ]) {
    const before = await readAll(client, `select ${columns} from public.${table} order by 1`);
    expect(before, table).not.toEqual([]);
    expect(await readAll(client, `select ${columns} from relay.${table} order by 1`), table).toEqual(before);
  }
  const fingerprint = createHash("sha256").update("qstash||||").digest("hex");
  expect(
    await readAll(
      client,
      "select g.*, l.* from relay.dead_letters l join relay.dead_letter_groups g on g.id = l.group_id order by l.id",
    ),
  ).toMatchObject([
    {
      fingerprint,
      cause: "qstash",
      state: "open",
      source: "qstash",
      source_id: "dlq-1",
      dlq_id: "dlq-1",
      message_id: "msg_1",
      delivery_id: deliveryUuid("d1"),
      status: 503,
      attempts: 6,
      resolved_at: null,
      first_at: new Date("2026-01-01"),
    },
    { fingerprint, source_id: "dlq-2", delivery_id: null },
  ]);
});

test("a delivery whose random id looks like one of a coming week does not keep that week's partition from being made", async () => {
  const { url, client } = await openBefore();
  const weekMs = 7 * 24 * 60 * 60_000;
  const comingMs = Date.now() + 6 * weekMs;
  const id = deliveryUuid(
    `${comingMs
      .toString(16)
      .padStart(12, "0")
      .replace(/(.{8})/, "$1-")}-4abc-8def-0123456789ab`,
  );
  await startInstanceBefore(url).ingest(id, eventsOf("a", 1));
  await migrateStore(url);
  const read = `select tableoid::regclass::text as partition, id from relay.deliveries`;
  expect(await readAll(client, read)).toEqual([{ partition: "relay.deliveries_default", id }]);

  const { created, defaults } = await ensurePartitions(client, comingMs);
  const partition = created.find(
    (name) => (partitionStart(name) ?? 0) > comingMs - weekMs && name.startsWith("deliveries_"),
  );
  expect(await readAll(client, read)).toEqual([{ partition: `relay.${partition}`, id }]);
  expect(defaults).toEqual([]);
});
