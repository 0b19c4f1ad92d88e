/** Sessions are rows in Postgres: each process sees at once that one has ended. */
import { expect, test } from "vitest";

import { answerOps } from "#dashboard/access/answer-ops.ts";
import { parseAuditFilter, readAudit } from "#dashboard/access/read-audit.ts";
import { readOpsTokens } from "#dashboard/access/read-ops-tokens.ts";
import { readSessions } from "#dashboard/access/read-sessions.ts";
import { answerSignIn } from "#dashboard/access/sign-in.ts";
import { answerSignOut } from "#dashboard/access/sign-out.ts";
import { endSessions } from "#operations/end-sessions.ts";
import { openDatabase } from "#store/connection/database.ts";

import { createTestAccess, type TestAccess } from "../support/ops-access.ts";
import { openTestStore } from "../support/store.ts";

const token = (letter: string) => letter.repeat(32);
const tokens = readOpsTokens({
  OPS_TOKEN: token("o"),
  OPS_TOKENS: `alice:admin:${token("a")},bob:read:${token("b")},prometheus:metrics:${token("m")}`,
});
const names = tokens.map(({ name }) => name);

async function signIn(access: TestAccess, letter: string, forwarded = "203.0.113.7"): Promise<string> {
  const body = new URLSearchParams({ token: token(letter) });
  const headers = { "x-forwarded-for": forwarded };
  const request = new Request("http://localhost/dashboard/sign-in", { method: "POST", headers, body });
  return (await answerSignIn(request, access)).headers.get("set-cookie")?.split(";")[0] ?? "";
}

const ask = async (access: TestAccess, cookie: string) =>
  (await answerOps(new Request("http://localhost/api/ops/x", { headers: { cookie } }), access, async () => ({})))
    .status;

test("ending the sessions of a token ends each of them in every process, and no other's", async () => {
  const { db, url } = await openTestStore();
  const here = createTestAccess(() => db, { opsTokens: () => tokens });
  const otherProcess = openDatabase(url);
  const there = createTestAccess(() => otherProcess.db, { opsTokens: () => tokens });
  const bobs = [await signIn(here, "b"), await signIn(there, "b", "2001:db8::1")];
  const alices = await signIn(here, "a");
  const nowMs = here.clock.nowMs();
  const { sessions } = await readSessions(db, { names, sessionId: null, nowMs });
  expect(new Set(sessions.map(({ name, address }) => `${name} ${address}`))).toEqual(
    new Set(["alice 203.0.113.0/24", "bob 2001:db8:0:0::/64", "bob 203.0.113.0/24"]),
  );

  const bob = { name: "bob", role: "read" } as const;
  const options = { db, caller: bob, names, nowMs };
  await expect(endSessions({ name: "alice" }, options)).rejects.toMatchObject({ code: "FORBIDDEN" });
  await expect(endSessions({ name: "carl" }, { ...options, caller: { ...bob, role: "admin" } })).rejects.toMatchObject({
    code: "NOT_FOUND",
  });
  expect(await Promise.all([endSessions({}, options), endSessions({}, options)])).toEqual(
    expect.arrayContaining([
      { name: "bob", ended: 2 },
      { name: "bob", ended: 0 },
    ]),
  );
  for (const access of [here, there]) {
    expect([await ask(access, bobs[0] ?? ""), await ask(access, bobs[1] ?? ""), await ask(access, alices)]).toEqual([
      401, 401, 200,
    ]);
  }
  expect(await ask(here, await signIn(here, "b"))).toBe(200);
  expect(await endSessions({ name: "alice" }, { ...options, caller: { name: "ops", role: "admin" } })).toEqual({
    name: "alice",
    ended: 1,
  });
  await otherProcess.close();
});

test("signing in and out leaves rows, also when the role opens no page or the link was used", async () => {
  const { db } = await openTestStore();
  const access = createTestAccess(() => db, { opsTokens: () => tokens });
  const cookie = await signIn(access, "a");
  await signIn(access, "m");
  await signIn(access, "x");
  const headers = { cookie, "sec-fetch-site": "same-origin" };
  await answerSignOut(new Request("http://localhost/dashboard/sign-out", { method: "POST", headers }), access);
  const { audit } = await readAudit(db, parseAuditFilter(new URLSearchParams()));
  expect(audit.map(({ actor, action, via, result }) => [actor, action, via, result])).toEqual([
    ["alice", "sign-out", "page", "ok"],
    ["prometheus", "sign-in", "page", "FORBIDDEN"],
    ["alice", "sign-in", "page", "ok"],
  ]);
  expect(JSON.stringify(audit)).not.toContain(token("a"));
});
