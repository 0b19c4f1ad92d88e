import { expect, test } from "vitest";

import { parseDeadLetterGroupFilter, readDeadLetterGroups } from "#dashboard/repair/read-dead-letter-groups.ts";
import { parseDeadLetterFilter, readDeadLetters } from "#dashboard/repair/read-dead-letters.ts";
import type { Database } from "#store/connection/database.ts";
import { deadLetterGroups, deadLetters } from "#store/schema/operations-schema.ts";

import { openTestStore } from "../../support/store.ts";

const at = (minute: number) => new Date(Date.UTC(2026, 0, 31, 12, minute));
const groups = (query: Record<string, string> = {}) => parseDeadLetterGroupFilter(new URLSearchParams(query));
const members = (query: Record<string, string> = {}) => parseDeadLetterFilter(new URLSearchParams(query));

async function insertGroup(db: Database, fingerprint: string, row: Partial<typeof deadLetterGroups.$inferInsert> = {}) {
  const [group] = await db
    .insert(deadLetterGroups)
    .values({ fingerprint, cause: "handler", errorName: "TypeError", kind: "message", firstAt: at(0), ...row })
    .returning({ id: deadLetterGroups.id });
  return group?.id ?? 0;
}

let letters = 0;
function letter(groupId: number, row: Partial<typeof deadLetters.$inferInsert> = {}) {
  letters += 1;
  return { source: "handler", sourceId: String(letters), groupId, recordedAt: at(1), ...row };
}

test("a group is counted over its dead letters, with the last of them and the first end of QStash's copies", async () => {
  const { db } = await openTestStore();
  const id = await insertGroup(db, "f1", { cause: "qstash", firstDeployment: "dpl_1", kind: null, regressedAt: at(5) });
  await db
    .insert(deadLetters)
    .values([
      letter(id, { expiresAt: at(20), resolvedAt: at(6), resolvedBy: "rp_1" }),
      letter(id, { expiresAt: at(40) }),
      letter(id, { expiresAt: at(30), recordedAt: at(4), deployment: "dpl_2" }),
    ]);
  expect(await readDeadLetterGroups(db, groups())).toEqual({
    groups: [
      {
        id,
        cause: "qstash",
        errorName: "TypeError",
        errorCode: null,
        kind: null,
        state: "open",
        count: 3,
        open: 2,
        isCapped: false,
        firstAt: at(0).toISOString(),
        lastAt: at(4).toISOString(),
        firstDeployment: "dpl_1",
        lastDeployment: "dpl_2",
        expiresAt: at(30).toISOString(),
        ignoredUntil: null,
        note: null,
        changedAt: null,
        changedBy: null,
        resolvedAt: null,
        resolvedBy: null,
        regressedAt: at(5).toISOString(),
      },
    ],
    nextCursor: null,
  });
});

test("groups are listed by need and then by the time they recurred last, page by page, and by their conditions", async () => {
  const { db } = await openTestStore();
  const first = await insertGroup(db, "first");
  const second = await insertGroup(db, "second", { state: "ignored", ignoredUntil: new Date(Date.now() - 1_000) });
  const third = await insertGroup(db, "third", { state: "resolved", cause: "undecodable", firstDeployment: "dpl_1" });
  const fourth = await insertGroup(db, "fourth", { regressedAt: at(1), errorCode: "CRM_DOWN", kind: "comment" });
  await db
    .insert(deadLetters)
    .values([
      letter(first),
      letter(first, { recordedAt: at(9), deployment: "dpl_1" }),
      letter(third),
      letter(second),
      letter(fourth),
    ]);
  const seen: number[] = [];
  let cursor: string | null = null;
  do {
    const page = await readDeadLetterGroups(db, groups({ limit: "1", ...(cursor === null ? {} : { cursor }) }));
    seen.push(...page.groups.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(seen).toEqual([fourth, first, second, third]);
  const ids = async (query: Record<string, string>) =>
    (await readDeadLetterGroups(db, groups(query))).groups.map(({ id }) => id);
  // One that is ignored no longer is open.
  expect(await ids({ state: "open" })).toEqual([fourth, first, second]);
  expect(await ids({ state: "ignored" })).toEqual([]);
  expect(await ids({ cause: "undecodable" })).toEqual([third]);
  expect(await ids({ error: "CRM_DOWN" })).toEqual([fourth]);
  expect(await ids({ error: "TypeError", kind: "comment" })).toEqual([fourth]);
  expect(await ids({ deployment: "dpl_1" })).toEqual([first, third]);
  expect(() => groups({ state: "closed" })).toThrow(/^state /);
  expect(() => groups({ stat: "open" })).toThrow(/^stat /);
});

test("the dead letters of a group are listed newest first, page by page; without their bodies", async () => {
  const { db } = await openTestStore();
  const id = await insertGroup(db, "f1");
  const other = await insertGroup(db, "f2");
  await db.insert(deadLetters).values([
    letter(id, {
      source: "qstash",
      sourceId: "dlq_1",
      body: Buffer.from("words"),
      bodyWhole: true,
      frames: ["a (b.ts)"],
    }),
    letter(other),
    letter(id),
  ]);
  const first = await readDeadLetters(db, id, members({ limit: "1" }));
  expect(first).toMatchObject({ group: { id, count: 2 }, deadLetters: [{ source: "handler", bodyBytes: null }] });
  const second = await readDeadLetters(db, id, members({ limit: "1", cursor: first.nextCursor ?? "" }));
  expect(second.nextCursor).toBeNull();
  expect(second.deadLetters).toMatchObject([
    { source: "qstash", bodyBytes: 5, bodyWhole: true, frames: ["a (b.ts)"], recordedAt: at(1).toISOString() },
  ]);
  expect(second.deadLetters[0]).not.toHaveProperty("body");
  await expect(readDeadLetters(db, 4_711, members())).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test.each(["nonsense", "LTE", "MTI6YQ"])("the cursor %s is refused", (cursor) => {
  expect(() => groups({ cursor })).toThrow(/^cursor /);
});
