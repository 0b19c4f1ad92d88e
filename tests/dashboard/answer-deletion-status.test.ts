import { expect, test } from "vitest";

import { answerDeletionStatus } from "#dashboard/answer-deletion-status.ts";
import { type Database, openDatabase } from "#store/connection/database.ts";
import { dataDeletions } from "#store/schema/privacy-schema.ts";

import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore } from "../support/store.ts";

const code = "0123456789abcdef0123456789abcdef";
const requestedAt = new Date("2026-01-31T12:00:00Z");
const completedAt = new Date("2026-01-31T12:01:00Z");

function show(db: Database, given = code) {
  const { log, lines } = createRecordingLog();
  return answerDeletionStatus(given, { openDatabase: () => db, queueHasLog: true, log }).then(async (response) => ({
    response,
    text: await response.text(),
    lines,
  }));
}

async function showRow(row: Partial<typeof dataDeletions.$inferInsert>) {
  const { db } = await openTestStore();
  await db.insert(dataDeletions).values({ requestId: "r1", code, requestedAt, completedAt, ...row });
  return show(db);
}

test("shows when the request was completed, and how many items were erased", async () => {
  const { response, text } = await showRow({ erased: 1_234 });
  expect(response.status).toBe(200);
  expect(text).toContain("Your data has been erased");
  expect(text).toContain("1,234 stored items");
  expect(text).toContain('<time datetime="2026-01-31T12:00:00.000Z">31 January 2026 at 12:00 UTC</time>');
  expect(text).toContain("12:01 UTC");
  expect(text).toContain(code);
});

test("says in plain words what could not be reached", async () => {
  const { text } = await showRow({ erased: 3, unreached: JSON.stringify(["queue-dead-letters"]) });
  expect(text).toContain("Your data has been erased");
  expect(text).toContain("did not answer for a day");
  const { text: reached } = await showRow({ erased: 3 });
  expect(reached).not.toContain("did not answer");
  expect(reached).toContain("We cannot change that log");
});

test("gives a program the same facts", async () => {
  const { db } = await openTestStore();
  const unreached = JSON.stringify(["queue-dead-letters"]);
  await db.insert(dataDeletions).values({ requestId: "r1", code, requestedAt, completedAt, erased: 3, unreached });
  const { log } = createRecordingLog();
  const ask = (given: string) =>
    answerDeletionStatus(given, { openDatabase: () => db, queueHasLog: true, log, accept: "application/json" });
  expect(await (await ask(code)).json()).toEqual({
    code,
    requestedAt: "2026-01-31T12:00:00.000Z",
    completedAt: "2026-01-31T12:01:00.000Z",
    erased: 3,
    unreached: ["queue-dead-letters"],
  });
  expect((await ask("nonsense")).status).toBe(404);
});

test("the number one has a singular", async () => {
  expect((await showRow({ erased: 1 })).text).toContain(">1 stored item<");
});

test("says that nothing matched, and the possible reason", async () => {
  const { response, text } = await showRow({ erased: 0 });
  expect(response.status).toBe(200);
  expect(text).toContain("Nothing stored could be matched to you");
  expect(text).toContain("valid for this app only");
  expect(text).not.toContain("has been erased");
});

test("says that the request is not complete, without the person's id", async () => {
  const { response, text } = await showRow({ erased: 3, completedAt: null, userId: "60011223344" });
  expect(response.status).toBe(200);
  expect(text).toContain("Your data is being erased");
  expect(text).toContain("Not yet");
  expect(text).not.toContain("60011223344");
});

test.each([code.replace("0", "1"), "", "nonsense", "\0", '"><script>alert(1)</script>', "x".repeat(33)])(
  "the code %j is not found",
  async (given) => {
    const { db } = await openTestStore();
    const { response, text } = await show(db, given);
    expect(response.status).toBe(404);
    expect(text).toContain("No such request");
    expect(text).not.toContain("<script");
  },
);

test("is not cached, indexed or framed, and has a language, a title and one heading", async () => {
  const { response, text } = await showRow({});
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "x-robots-tag": "noindex, nofollow",
    "content-security-policy": expect.stringContaining("frame-ancestors 'none'") as unknown,
  });
  expect(text).toContain('<html lang="en">');
  expect(text).toContain('<meta name="robots" content="noindex, nofollow">');
  expect(text.match(/<h1>/g)).toHaveLength(1);
});

test("shows that it is unavailable while the database is down", async () => {
  const { db, close } = openDatabase("postgres://nobody@127.0.0.1:1/nowhere");
  const { response, text, lines } = await show(db);
  expect(response.status).toBe(503);
  expect(response.headers.get("content-type")).toContain("text/html");
  expect(text).toContain("cannot be shown now");
  expect(lines).toMatchObject([{ event: "deletion_status.failed", code: "STORE_UNAVAILABLE" }]);
  await close();
});
