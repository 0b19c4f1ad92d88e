import { expect, test } from "vitest";

import { answerOps } from "#dashboard/access/answer-ops.ts";
import { readHandlerCounts } from "#dashboard/handlers/read-handler-counts.ts";
import { openDatabase } from "#store/connection/database.ts";
import { handlerCountIncrements, handlerCounts } from "#store/schema/figures-schema.ts";

import { createTestAccess, opsToken } from "../support/ops-access.ts";
import { openTestStore } from "../support/store.ts";

test("handler counts are listed largest first", async () => {
  const { db } = await openTestStore();
  await db.insert(handlerCounts).values([
    { name: "b", count: 2 },
    { name: "c", count: 9 },
    { name: "a", count: 2 },
  ]);
  expect((await readHandlerCounts(db)).map(({ name }) => name)).toEqual(["c", "a", "b"]);
  // Those that maintenance has not folded yet.
  await db.insert(handlerCountIncrements).values([
    { name: "b", count: 7 },
    { name: "b", count: 1 },
  ]);
  expect(await readHandlerCounts(db, 2)).toEqual([
    { name: "b", count: 10 },
    { name: "c", count: 9 },
  ]);
});

test.each([
  ["the store is away", 503, "STORE_UNAVAILABLE", "select 1", "postgres://nobody@127.0.0.1:1/none"],
  ["the query is wrong", 500, "INTERNAL", "select 'x'::int", undefined],
])("when %s, an ops route answers %i and the log says why", async (_name, status, code, query, address) => {
  const { url } = await openTestStore();
  const database = openDatabase(address ?? url);
  const access = createTestAccess(() => database.db);
  const headers = { authorization: `Bearer ${opsToken}` };
  const request = new Request("http://localhost/api/ops/x?secret=1", { headers });
  const response = await answerOps(request, access, () => database.db.execute(query));
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ error: { code } });
  expect(access.recording.lines).toEqual([
    expect.objectContaining({ event: "ops.refused", level: "error", path: "/api/ops/x", code }),
  ]);
  await database.close();
});
