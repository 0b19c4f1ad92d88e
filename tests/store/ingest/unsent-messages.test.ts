import { describe, expect, test } from "vitest";

import type { InstagramEvent } from "#instagram/events.ts";
import type { Database } from "#store/connection/database.ts";
import { type BatchToStore, storeBatch } from "#store/ingest/store-batch.ts";
import { eraseRecentlyUnsent, eraseUnsentAfter } from "#store/ingest/unsent-messages.ts";

import { echo, edit, type Item, message, reaction, toEvent, unsending } from "../../support/messaging.ts";
import { openTestStore, testBatch, toStore } from "../../support/store.ts";

const atMs = 1_700_000_000_000;
const secret = "the customer's words";
let deliveries = 0;

async function store(db: Database, items: readonly Item[], more: Partial<BatchToStore> = {}) {
  const events = await Promise.all(items.map(toEvent));
  return storeEvents(db, events, more);
}

function storeEvents(db: Database, events: InstagramEvent[], more: Partial<BatchToStore> = {}) {
  return storeBatch(db, { ...toStore(testBatch(`d${++deliveries}`, events)), ...more });
}

async function rows(db: Database) {
  const { rows: found } = await db.$client.query<{ kind: string; data: string; erased: boolean; open: boolean }>(
    `select kind, data::text, erased_at is not null as erased,
      exists (select from relay.event_work w where w.event_id = e.id) as open
    from relay.events e order by kind, id`,
  );
  return found;
}

const messageIds = {
  "a plain id": "aWdfZAG1faXRlbToxOklH",
  "an id whose keys are hashed": "mid with spaces: and colons",
  "a long id": "x".repeat(900),
  "an id with half of an emoji and NUL": "a\ud800b\0c",
};

describe("an unsending", () => {
  describe.each(Object.entries(messageIds))("of a message with %s", (_name, mid) => {
    const texts: Item[] = [
      { atMs, part: message(mid, secret) },
      { atMs: atMs + 1, part: edit(mid, secret, 1) },
      { atMs: atMs + 2, part: edit(mid, secret, 7) },
      { atMs: atMs + 3, part: edit(mid, secret, 0), anonymous: true },
      { atMs: atMs + 4, part: { message: { mid, is_unsupported: true, text: secret } } },
      { atMs: atMs + 5, part: echo(mid, secret), outbound: true },
      // The keys of another kind in it make its key a hash of all of it.
      { atMs: atMs + 6, part: { ...message(mid, secret), referral: { ref: secret } } },
    ];
    const end: Item = { atMs: atMs + 9, part: unsending(mid) };

    test("erases its texts and what waits for a handler, and is handled itself", async () => {
      const { db } = await openTestStore();
      expect((await store(db, texts)).leased).toHaveLength(texts.length);
      const { leased } = await store(db, [end]);
      expect(leased.map(({ kind }) => kind)).toEqual(["message.deleted"]);
      expectErased(await rows(db), texts.length);
    });

    test("erases texts that come after it, and hands them to no handler", async () => {
      const { db } = await openTestStore();
      await store(db, [end]);
      const stored = await store(db, texts);
      expect(stored).toMatchObject({ inserted: texts.length, leased: [] });
      expectErased(await rows(db), texts.length);
    });

    test("erases texts of the same batch", async () => {
      const { db } = await openTestStore();
      const { leased } = await store(db, [...texts.slice(0, 3), end, ...texts.slice(3)]);
      expect(leased.map(({ kind }) => kind)).toEqual(["message.deleted"]);
      expectErased(await rows(db), texts.length);
    });
  });

  function expectErased(found: Awaited<ReturnType<typeof rows>>, count: number) {
    expect(JSON.stringify(found)).not.toContain("customer");
    const erased = found.filter((row) => row.erased);
    expect(erased).toHaveLength(count);
    expect(erased.every(({ data, open }) => data === '{"erased":"unsent"}' && !open)).toBe(true);
    expect(found.find(({ kind }) => kind === "message.deleted")).toMatchObject({ erased: false, open: true });
  }

  test("leaves other messages, other accounts' messages of the same id, and reactions", async () => {
    const { db } = await openTestStore();
    const others: Item[] = [
      { atMs, part: message("m10", secret) },
      { atMs, part: message("m1", secret), account: "17841400000000002" },
      { atMs, part: reaction("m1", "❤️") },
    ];
    await store(db, [...others, { atMs, part: message("m1", secret) }, { atMs, part: unsending("m1") }]);
    expect((await rows(db)).map(({ kind, erased }) => [kind, erased])).toEqual([
      ["message", false],
      ["message", false],
      ["message", true],
      ["message.deleted", false],
      ["reaction", false],
    ]);
  });

  test("of an account whose id has a NUL, which Postgres refuses, keeps no event from being stored", async () => {
    const { db } = await openTestStore();
    const odd = "178414\0";
    await store(db, [{ atMs, part: message("m1", secret), account: odd }]);
    const { inserted } = await store(db, [
      { atMs, part: unsending("m1"), account: odd },
      { atMs, part: message("m2", secret) },
    ]);
    expect(inserted).toBe(2);
    expect((await rows(db)).map(({ kind, erased }) => [kind, erased])).toEqual([
      ["message", true],
      ["message", false],
      ["message.deleted", false],
    ]);
  });

  test("leaves the text if the setting says so, before and after", async () => {
    const { db } = await openTestStore();
    const keep = { unsentMessages: "keep" } as const;
    await store(db, [{ atMs, part: message("m1", secret) }], keep);
    await store(db, [{ atMs, part: unsending("m1") }], keep);
    await store(db, [{ atMs, part: edit("m1", secret, 1) }], keep);
    expect((await rows(db)).every(({ erased, open }) => !erased && open)).toBe(true);
  });

  test("completes a delivery whose other events are handled", async () => {
    const { db } = await openTestStore();
    await store(db, [{ atMs, part: message("m1", secret) }]);
    await store(db, [{ atMs, part: unsending("m1") }]);
    const { rows: found } = await db.$client.query(
      "select d.handled_at is not null as handled from relay.deliveries d join relay.events e on e.delivery_id = d.id order by e.id",
    );
    expect(found).toEqual([{ handled: true }, { handled: false }]);
  });

  test("erases what an error of its message's handler said, and resolves its dead letter", async () => {
    const { db } = await openTestStore();
    const { leased } = await store(db, [{ atMs, part: message("m1", secret) }]);
    const values = [leased[0]?.id, secret];
    await db.$client.query(
      "insert into relay.handler_attempts (event_id, at, ms, attempt, error_name, error_message) values ($1, now(), 1, 1, 'E', $2)",
      values,
    );
    await db.$client.query(
      "insert into relay.dead_letters (source, source_id, group_id, event_id, error_message) values ('handler', '1', 1, $1, $2)",
      values,
    );
    await store(db, [{ atMs, part: unsending("m1") }]);
    const { rows: found } = await db.$client.query(
      `select a.error_message as attempt, d.error_message as letter, d.resolved_by, d.resolved_at is not null as resolved
      from relay.handler_attempts a, relay.dead_letters d`,
    );
    expect(found).toEqual([{ attempt: null, letter: null, resolved_by: "unsent", resolved: true }]);
  });

  test("of a dashboard test erases nothing", async () => {
    const { db } = await openTestStore();
    const item = { atMs, account: "0" };
    await store(db, [
      { ...item, part: message("random_mid", secret) },
      { ...item, part: unsending("random_mid") },
    ]);
    expect((await rows(db)).some(({ erased }) => erased)).toBe(false);
  });

  test("from before the setting changed, or from an earlier release, erases the text in a round of maintenance", async () => {
    const { db } = await openTestStore();
    const items = [
      { atMs, part: message("m1", secret) },
      { atMs, part: unsending("m1") },
    ];
    await store(db, [...items, { atMs, part: message("m2", secret) }], { unsentMessages: "keep" });
    expect(await eraseUnsentAfter(db, 0)).toEqual({ erased: 1, afterId: null });
    await store(db, [{ atMs, part: edit("m1", secret, 1) }]);
    expect((await rows(db)).map(({ kind, erased }) => [kind, erased])).toEqual([
      ["message", true],
      ["message", false],
      ["message.deleted", false],
      ["message.edited", true],
    ]);
  });

  test("at the same time as its message leaves no text after maintenance, whichever comes first", async () => {
    const { db } = await openTestStore();
    const mids = Array.from({ length: 30 }, (_, index) => `m${index}`);
    await Promise.all(
      mids.flatMap((mid) => [
        store(db, [{ atMs, part: message(mid, secret) }]),
        store(db, [{ atMs, part: unsending(mid) }]),
        store(db, [{ atMs, part: edit(mid, secret, 2) }]),
      ]),
    );
    await eraseRecentlyUnsent(db);
    const found = await rows(db);
    expect(JSON.stringify(found)).not.toContain("customer");
    expect(found.filter(({ open }) => open).map(({ kind }) => kind)).toEqual(mids.map(() => "message.deleted"));
  });

  test("that missed a text stored at the same moment erases it at the next maintenance", async () => {
    const { db } = await openTestStore();
    await store(db, [{ atMs, part: unsending("m1") }]);
    const hidden = await db.$client.query<{ hash: string }>("delete from relay.unsent_messages returning *");
    await store(db, [{ atMs, part: message("m1", secret) }]);
    await db.$client.query(
      "insert into relay.unsent_messages select * from json_populate_record(null::relay.unsent_messages, $1)",
      [JSON.stringify(hidden.rows[0])],
    );
    expect(await eraseRecentlyUnsent(db)).toBe(1);
    expect(JSON.stringify(await rows(db))).not.toContain("customer");
    expect(await eraseRecentlyUnsent(db)).toBe(0);
  });
});
