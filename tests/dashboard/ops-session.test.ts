import { expect, test } from "vitest";

import { createSession, createSignInLink, verifyBearer, verifySession, verifyTicket } from "#dashboard/ops-session.ts";

const hourMs = 3_600_000;
const key = { opsToken: "the-token", nowMs: Date.parse("2026-01-31T12:00:00Z") };
const later = (ms: number) => ({ ...key, nowMs: key.nowMs + ms });

async function ticket(): Promise<string> {
  const link = new URL(await createSignInLink({ baseUrl: "http://127.0.0.1:3000", ...key }));
  return link.searchParams.get("ticket") ?? "";
}

test("a sign-in link leads to the sign-in page and does not hold the token", async () => {
  const link = await createSignInLink({ baseUrl: "https://relay.example", ...key });
  expect(link).toMatch(/^https:\/\/relay\.example\/dashboard\/sign-in\?ticket=[\w.-]+$/);
  expect(link).not.toContain(key.opsToken);
});

test("a ticket works for twelve hours", async () => {
  expect(await verifyTicket(await ticket(), later(12 * hourMs - 1))).toBe("valid");
  expect(await verifyTicket(await ticket(), later(12 * hourMs))).toBe("expired");
});

test("a session works for seven days", async () => {
  const session = await createSession(key);
  expect(await verifySession(session, later(7 * 24 * hourMs - 1))).toBe(true);
  expect(await verifySession(session, later(7 * 24 * hourMs))).toBe(false);
});

test("neither a ticket nor a session serves as the other", async () => {
  expect(await verifySession(await ticket(), key)).toBe(false);
  expect(await verifyTicket(await createSession(key), key)).toBe("forged");
});

test("another token's ticket and session are forged", async () => {
  const other = { ...key, opsToken: "another-token" };
  expect(await verifyTicket(await ticket(), other)).toBe("forged");
  expect(await verifySession(await createSession(key), other)).toBe(false);
});

test("a moved expiry is forged", async () => {
  const [expiry, mac] = (await ticket()).split(".");
  expect(await verifyTicket(`${Number(expiry) + 1}.${mac}`, key)).toBe("forged");
});

test.each(["", ".", "1", "1.abc", `1.${"A".repeat(43)}`, "\0"])("%j is neither ticket nor session", async (value) => {
  expect(await verifyTicket(value, key)).toBe("forged");
  expect(await verifySession(value, key)).toBe(false);
});

test("no cookie is no session", async () => {
  expect(await verifySession(undefined, key)).toBe(false);
});

test.each([
  ["Bearer the-token", true],
  ["bearer the-token", true],
  ["Bearer the-token2", false],
  ["Bearer the-toke", false],
  ["Bearer ", false],
  ["the-token", false],
  ["Basic the-token", false],
  [null, false],
])("the header %j is right: %j", async (header, right) => {
  expect(await verifyBearer(header, key.opsToken)).toBe(right);
});
