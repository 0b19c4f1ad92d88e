import { expect, test } from "vitest";

import { createGraphApi, paceMsUsual } from "#operations/backfill/graph-api.ts";
import { identifyAccount } from "#operations/backfill/identify-account.ts";
import { systemClock } from "#platform/clock.ts";

test("of two requests the second waits until half a second after the first began", async () => {
  let nowMs = 1_000;
  const waits: number[] = [];
  const after = (delayMs: number, callback: () => void) => {
    if (delayMs > paceMsUsual) return () => {};
    waits.push(delayMs);
    nowMs += delayMs;
    queueMicrotask(callback);
    return () => {};
  };
  const clock = { ...systemClock, monotonicMs: () => nowMs, after };
  const answer = async () => {
    nowMs += 120;
    return Response.json({});
  };
  const api = createGraphApi({ baseUrl: "https://x/v25.0", token: "t", paceMs: paceMsUsual, fetch: answer, clock });
  await api.get("/me");
  await api.get("/me");
  expect(waits).toEqual([paceMsUsual - 120]);
});

test.each([
  ["IGAA".padEnd(40, "x"), "https://graph.instagram.com/v25.0/me", { user_id: "1784" }],
  ["EAA".padEnd(40, "x"), "https://graph.facebook.com/v25.0/me", { instagram_business_account: { id: "1784" } }],
])("a token that begins with %s goes to its own login's host", async (token, address, me) => {
  const asked: string[] = [];
  const fetch = async (url: RequestInfo | URL) => {
    asked.push(new Request(url).url.split("?")[0] ?? "");
    return Response.json(me);
  };
  const options = { graphUrl: null, fetch, clock: systemClock, paceMs: 0 };
  expect(await identifyAccount({ accountId: "1784", token }, options)).toMatchObject({ id: "1784" });
  expect(asked).toEqual([address]);
});
