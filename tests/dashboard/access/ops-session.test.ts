import { randomUUID } from "node:crypto";

import { expect, test } from "vitest";

import {
  createSession,
  createSignInLink,
  findToken,
  readBearer,
  readSession,
  readTicket,
} from "#dashboard/access/ops-session.ts";

const hourMs = 3_600_000;
const signer = { name: "ops", role: "admin", token: "the-token" } as const;
const other = { name: "alice", role: "read", token: "another-token" } as const;
const key = { opsToken: signer.token, tokens: [other, signer], nowMs: Date.parse("2026-01-31T12:00:00Z") };
const id = randomUUID();
const later = (ms: number) => ({ ...key, nowMs: key.nowMs + ms });

async function ticket(): Promise<string> {
  const link = new URL(await createSignInLink({ baseUrl: "http://127.0.0.1:3000", id, ...key }));
  return link.searchParams.get("ticket") ?? "";
}

test("a sign-in link leads to the sign-in page and does not hold the token", async () => {
  const link = await createSignInLink({ baseUrl: "https://relay.example", id, ...key });
  expect(link).toMatch(/^https:\/\/relay\.example\/dashboard\/sign-in\?ticket=[\w.-]+$/);
  expect(link).not.toContain(key.opsToken);
});

test("a ticket works for twelve hours", async () => {
  const expiresAtMs = key.nowMs + 12 * hourMs;
  expect(await readTicket(await ticket(), later(12 * hourMs - 1))).toEqual({ id, expiresAtMs, signer });
  expect(await readTicket(await ticket(), later(12 * hourMs))).toBe("expired");
});

test("a session works for seven days", async () => {
  const session = await createSession({ ...key, id });
  const expiresAtMs = key.nowMs + 7 * 24 * hourMs;
  expect(await readSession(session, later(7 * 24 * hourMs - 1))).toEqual({ id, expiresAtMs, signer });
  expect(await readSession(session, later(7 * 24 * hourMs))).toBeNull();
});

test("a ticket is not valid as a session, nor a session as a ticket", async () => {
  expect(await readSession(await ticket(), key)).toBeNull();
  expect(await readTicket(await createSession({ ...key, id }), key)).toBe("forged");
});

test("a ticket or a session of a token that is no longer configured is forged", async () => {
  const without = { ...key, tokens: [other] };
  expect(await readTicket(await ticket(), without)).toBe("forged");
  expect(await readSession(await createSession({ ...key, id }), without)).toBeNull();
  expect(await readSession(await createSession({ ...key, id }), { ...key, tokens: [] })).toBeNull();
});

test("a session carries the token that it was signed with", async () => {
  const session = await createSession({ ...key, opsToken: other.token, id });
  expect(await readSession(session, key)).toMatchObject({ signer: other });
});

test("a ticket with a changed expiry or id is forged", async () => {
  const [expiry, , mac] = (await ticket()).split(".");
  expect(await readTicket(`${Number(expiry) + 1}.${id}.${mac}`, key)).toBe("forged");
  expect(await readTicket(`${expiry}.${randomUUID()}.${mac}`, key)).toBe("forged");
});

test.each(["", ".", "1", "1.abc", `1.${id}.${"A".repeat(43)}`, `1..${"A".repeat(43)}`, "\0"])(
  "%j is neither a ticket nor a session",
  async (value) => {
    expect(await readTicket(value, key)).toBe("forged");
    expect(await readSession(value, key)).toBeNull();
  },
);

test("without a cookie there is no session", async () => {
  expect(await readSession(undefined, key)).toBeNull();
});

test.each([
  ["Bearer the-token", "the-token"],
  ["bearer  the-token", "the-token"],
  ["Bearer ", null],
  ["the-token", null],
  ["Basic the-token", null],
])("the header %j holds the token %j", (header, token) => {
  expect(readBearer(header)).toBe(token);
});

test("only the complete token is accepted", async () => {
  expect(await findToken("the-token", key.tokens)).toBe(signer);
  for (const wrong of ["", "the-toke", "the-token2"]) expect(await findToken(wrong, key.tokens)).toBeUndefined();
  expect(await findToken("the-token", [])).toBeUndefined();
});
