/** The rows that changes leave, whatever becomes of them. */
import { sql } from "drizzle-orm";
import { expect, test } from "vitest";

import { answerOps, type AnswerOpsOptions } from "#dashboard/access/answer-ops.ts";
import { parseAuditFilter, readAudit } from "#dashboard/access/read-audit.ts";
import { auditDetails } from "#operations/audit-details.ts";
import { RelayError } from "#platform/errors.ts";
import { openDatabase } from "#store/connection/database.ts";
import { erasePersonInReplays } from "#store/erasure/erase-replays.ts";
import { auditKeptDays, retainAudit } from "#store/retention/retain-audit.ts";

import { createTestAccess, opsToken, type TestAccess } from "../support/ops-access.ts";
import { openTestStore } from "../support/store.ts";

const audit = { action: "replay.start", target: () => "rp_1" } as const;
const body = { filter: { kind: "comment", sender: "1780" }, reason: "because of 1780" };

interface Asking extends AnswerOpsOptions<unknown, unknown> {
  headers?: Record<string, string>;
  sent?: unknown;
}

function ask(access: TestAccess, work: () => Promise<unknown>, { headers = {}, sent = body, ...options }: Asking = {}) {
  const request = new Request("http://localhost/api/ops/x", {
    method: "POST",
    headers: { authorization: `Bearer ${opsToken}`, "x-forwarded-for": "203.0.113.77", ...headers },
    body: JSON.stringify(sent),
  });
  return answerOps(request, access, work, { audit, params: {}, ...options });
}

const filterOf = (query: string) => parseAuditFilter(new URLSearchParams(query));

test("the row is there before the change, and says afterwards how it ended", async () => {
  const { db } = await openTestStore();
  const access = createTestAccess(() => db);
  const during: unknown[] = [];
  const headers = { "user-agent": "instagram-webhook-relay-cli" };
  const made = () => "rp_2";
  await ask(access, async () => during.push(...(await readAudit(db, filterOf(""))).audit), {
    headers,
    audit: { ...audit, made },
  });
  expect(during).toMatchObject([{ result: "started", settledAt: null, target: "rp_1" }]);
  await ask(access, async () => Promise.reject(new RelayError("CONFLICT", "no")));
  await ask(access, async () => Promise.reject(new TypeError("no")));
  const { audit: rows, total } = await readAudit(db, filterOf("count=true"));
  expect(rows.map(({ via, target, result }) => [via, target, result])).toEqual([
    ["api", "rp_1", "INTERNAL"],
    ["api", "rp_1", "CONFLICT"],
    ["command", "rp_2", "ok"],
  ]);
  expect(total).toEqual({ count: 3, isCapped: false });
  const known = { actor: "ops", address: "203.0.113.0/24", action: "replay.start", filter: { filter: body.filter } };
  expect(rows[2]).toMatchObject({ ...known, reason: body.reason, settledAt: expect.stringMatching(/Z$/) });
});

test("a change whose row cannot be written is not made; what only looks is done all the same", async () => {
  const { db, pool } = openDatabase("postgres://nobody@127.0.0.1:1/none");
  const access = createTestAccess(() => db);
  let done = 0;
  const work = async () => ({ done: (done += 1) });
  expect((await ask(access, work)).status).toBe(503);
  expect(done).toBe(0);
  expect((await ask(access, work, { audit: { action: "diagnostics.network", isRequired: false } })).status).toBe(200);
  expect(done).toBe(1);
  expect(access.recording.of("audit.failed")).toMatchObject([{ action: "diagnostics.network", actor: "ops" }]);
  await pool.end();
});

test("a change that was made is answered so, even if its end cannot be recorded: its row stays `started`", async () => {
  const { db } = await openTestStore();
  const access = createTestAccess(() => db);
  access.audit.settle = async () => Promise.reject(new RelayError("STORE_UNAVAILABLE", "gone"));
  expect((await ask(access, async () => ({}))).status).toBe(200);
  expect((await readAudit(db, filterOf("result=started"))).audit).toHaveLength(1);
  expect(access.recording.of("audit.failed")).toMatchObject([{ level: "error", result: "ok" }]);
});

test("a request without a token leaves no row, so that strangers cannot fill the audit", async () => {
  const { db } = await openTestStore();
  const access = createTestAccess(() => db);
  expect((await ask(access, async () => ({}), { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
  expect((await readAudit(db, filterOf(""))).audit).toEqual([]);
});

test("hostile and long requests are kept in part, and odd characters do not hinder the change", async () => {
  const { db } = await openTestStore();
  const access = createTestAccess(() => db);
  const ids = Array.from({ length: 10_000 }, (_, index) => index);
  const sent = { filter: { ids, error: "\0\u202E<script>".repeat(100) }, note: "\0\uD800".repeat(600) };
  expect((await ask(access, async () => ({}), { sent })).status).toBe(200);
  expect((await ask(access, async () => ({}), { sent, audit: { ...audit, omitsBody: true } })).status).toBe(200);
  expect((await ask(access, async () => ({}), { sent: "x".repeat(1_100_000) })).status).toBe(413);
  const [long, omitted, row] = (await readAudit(db, filterOf(""))).audit;
  expect([long, omitted]).toMatchObject([{ result: "BODY_TOO_LARGE" }, { filter: null, reason: null }]);
  const kept = row?.filter as { filter: { ids: unknown[]; error: string } } | undefined;
  expect([kept?.filter.ids.length, kept?.filter.ids.at(-1)]).toEqual([21, "… 9980 more"]);
  expect([kept?.filter.error.length, row?.reason?.length]).toEqual([201, 1_000]);
  const many = Object.fromEntries(ids.map((id) => [`${id}`.padEnd(300, "m"), "x".repeat(300)]));
  expect(JSON.stringify(auditDetails(many)).length).toBeLessThan(6_000);
  expect(JSON.stringify(auditDetails({ a: { b: { c: { d: { e: [[[["deep"]]]] } } } } }))).not.toContain("deep");
});

test("an export's row has its parameters, without what was searched for", async () => {
  const { db } = await openTestStore();
  const access = createTestAccess(() => db);
  const request = new Request("http://localhost/api/ops/events?kind=message&q=my+words", {
    headers: { authorization: `Bearer ${opsToken}` },
  });
  await answerOps(request, access, async () => ({}), { audit: { action: "events.export" } });
  const [row] = (await readAudit(db, filterOf(""))).audit;
  expect(row).toMatchObject({ action: "events.export", filter: { kind: "message", q: "(not recorded)" } });
});

test("the audit is read by what its rows have, page after page while rows arrive", async () => {
  const { db } = await openTestStore();
  await db.execute(sql`
    insert into relay.audit (at, actor, via, address, action, target, result)
    select timestamptz '2026-01-01Z' + n * interval '1 hour', case n % 2 when 0 then 'alice' else 'bob' end, 'page', '::/64',
      case n % 3 when 0 then 'replay.plan' else 'sign-in' end, 'rp_' || n, case n % 5 when 0 then 'CONFLICT' else 'ok' end
    from generate_series(1, 60) n`);
  const count = async (query: string) => (await readAudit(db, filterOf(`${query}&count=true&limit=1`))).total?.count;
  expect(await Promise.all(["actor=alice", "action=replay.plan", "result=CONFLICT", "target=rp_7"].map(count))).toEqual(
    [30, 20, 12, 1],
  );
  expect(await count("from=2026-01-01T10:00:00Z&to=2026-01-01T20:00:00Z&via=page")).toBe(10);
  const first = await readAudit(db, filterOf("limit=20"));
  await db.execute(
    sql`insert into relay.audit (actor, via, address, action, result) values ('x', 'api', '-', 'sign-in', 'ok')`,
  );
  const second = await readAudit(db, filterOf(`limit=20&cursor=${first.nextCursor}`));
  expect([first.audit.at(-1)?.target, second.audit[0]?.target]).toEqual(["rp_41", "rp_40"]);
  expect(() => filterOf("actor=a&actor=b&acton=x&action=gone&result=no&cursor=x")).toThrow(
    /acton is no parameter.*actor is given more than once.*action must be one of.*result must be.*cursor is not/,
  );
});

test("rows are kept for 400 days; a person's id leaves them on request, and nothing else does", async () => {
  const { db } = await openTestStore();
  const access = createTestAccess(() => db);
  await ask(access, async () => ({}));
  await db.execute(sql`update relay.audit set target = '1780'`);
  await erasePersonInReplays(db, "1780");
  expect((await readAudit(db, filterOf(""))).audit).toMatchObject([
    {
      target: "erased",
      reason: "because of erased",
      filter: { filter: { kind: "comment", sender: "erased" } },
      result: "ok",
    },
  ]);
  const dayMs = 24 * 3_600_000;
  expect(await retainAudit(db, Date.now() + (auditKeptDays - 1) * dayMs)).toBe(0);
  expect(await retainAudit(db, Date.now() + (auditKeptDays + 1) * dayMs)).toBe(1);
});
