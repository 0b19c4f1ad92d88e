import { expect, test } from "vitest";

import { parseExperimentId } from "#dashboard/diagnostics/read-diagnostics.ts";
import { requirePlainAddress } from "#dashboard/lists/list-request.ts";
import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { runtimesHref, runtimesQuery } from "#dashboard/runtimes/runtimes-query.ts";
import { statusWindow } from "#dashboard/status/status-window.ts";

test("the address of the comparison holds what differs from its default, and is read back", () => {
  const query = { window: "7d", region: "fra1", deployment: "dpl_1&x=2", cold: "cold" } as const;
  const href = runtimesHref(query);
  expect(href).toBe("/dashboard/runtimes?window=7d&region=fra1&deployment=dpl_1%26x%3D2&cold=cold");
  expect(runtimesQuery(Object.fromEntries(new URL(href, "http://relay").searchParams))).toEqual(query);
  expect(runtimesHref(runtimesQuery({}))).toBe("/dashboard/runtimes");
});

test.each([
  ["runtimes", runtimesQuery, { window: "2y" }],
  ["runtimes", runtimesQuery, { region: "a\0b" }],
  ["runtimes", runtimesQuery, { deployment: "d".repeat(301) }],
  ["runtimes", runtimesQuery, { cold: "lukewarm" }],
  ["runtimes", runtimesQuery, { zone: "x" }],
  ["status", statusWindow, { window: "2y" }],
  ["status", statusWindow, { window: ["1h", "7d"] }],
  ["diagnostics", parseExperimentId, { experiment: ["1", "2"] }],
  ["alerts and replay", requirePlainAddress, { rule: "lost" }],
])("the page %s refuses a parameter that it would otherwise ignore", (_page, parse, params: SearchParams) => {
  expect(() => parse(params)).toThrow(expect.objectContaining({ code: "REQUEST_INVALID" }));
});
