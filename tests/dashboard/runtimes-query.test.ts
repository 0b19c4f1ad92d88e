import { expect, test } from "vitest";

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
