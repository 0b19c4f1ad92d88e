import { expect, test } from "vitest";

import { deliveriesHref, deliveriesRequest } from "#dashboard/deliveries-query.ts";
import { encodeCursor } from "#dashboard/query-parameters.ts";
import { comparisonQuery, runtimesHref, runtimesQuery } from "#dashboard/runtimes-query.ts";

test("the address of the comparison holds what differs from its default, and is read back", () => {
  const query = { window: "7d", region: "fra1", deployment: "dpl_1&x=2", cold: "cold" } as const;
  const href = runtimesHref(query);
  expect(href).toBe("/dashboard/runtimes?window=7d&region=fra1&deployment=dpl_1%26x%3D2&cold=cold");
  expect(runtimesQuery(Object.fromEntries(new URL(href, "http://relay").searchParams))).toEqual(query);
  expect(runtimesHref(runtimesQuery({}))).toBe("/dashboard/runtimes");
});

test("what the comparison cannot be asked for is ignored", () => {
  const query = runtimesQuery({ window: "2y", region: "a\0b", deployment: "d".repeat(301), cold: "lukewarm" });
  expect(query).toEqual({ window: "24h", region: "", deployment: "", cold: "all" });
  expect(comparisonQuery(query)).toEqual({ window: "24h", region: null, deployment: null, cold: "all" });
});

test("the list of deliveries ignores each parameter that /api/ops/deliveries would refuse, and keeps the others", () => {
  const { query, filter, older } = deliveriesRequest({
    outcome: "lost",
    runtime: "quantum",
    error: "",
    from: "yesterday",
    to: "2026-01-31T12:00:00Z",
    ackMsMin: ["1000", "2000"],
    cursor: "made-up",
    nonsense: "1",
  });
  expect(query).toEqual({ outcome: "lost", to: "2026-01-31T12:00:00Z", ackMsMin: "1000" });
  expect(filter).toMatchObject({ outcome: "lost", ackMsMin: 1_000, to: new Date("2026-01-31T12:00:00Z") });
  expect(older).toBe(false);
});

test("a page of the list of deliveries is in its address", () => {
  const cursor = encodeCursor("1700000000000:01234567-89ab-4cde-8f01-23456789abcd");
  const href = deliveriesHref({ runtime: "edge", region: "" }, cursor);
  expect(href).toBe(`/dashboard/deliveries?runtime=edge&cursor=${cursor}`);
  const { query, older } = deliveriesRequest(Object.fromEntries(new URL(href, "http://relay").searchParams));
  expect([query, older]).toEqual([{ runtime: "edge" }, true]);
  expect(deliveriesHref({})).toBe("/dashboard/deliveries");
});
