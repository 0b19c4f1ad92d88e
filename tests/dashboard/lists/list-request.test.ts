import { expect, test } from "vitest";

import { parseEventFilter } from "#dashboard/events/event-filter.ts";
import { deliveriesHref } from "#dashboard/lists/list-hrefs.ts";
import { listHref, listRequest, readListed } from "#dashboard/lists/list-request.ts";
import { encodeCursor } from "#dashboard/lists/query-parameters.ts";
import { localTime } from "#dashboard/zoned-time.ts";

const path = "/dashboard/events";
const nowMs = Date.parse("2026-07-01T12:00:00.500Z");

function request(params: Record<string, string | string[]>, zone = "Europe/Berlin") {
  return listRequest(params, { path, parse: parseEventFilter, zone, nowMs });
}

/** Where a request is sent on to. */
function redirectOf(params: Record<string, string | string[]>, zone?: string): URL {
  try {
    request(params, zone);
  } catch (thrown) {
    const [, , address = ""] = (thrown as { digest: string }).digest.split(";");
    return new URL(address, "http://relay");
  }
  throw new Error("It was not redirected");
}

test("local times and periods of a form become instants in the address, and its empty fields leave it", () => {
  const { search } = redirectOf({ kind: "message", q: "", from: "2026-01-31T14:03", to: "2026-07-31T14:03:07.25" });
  expect(Object.fromEntries(new URLSearchParams(search))).toEqual({
    kind: "message",
    from: "2026-01-31T13:03:00.000Z",
    to: "2026-07-31T12:03:07.250Z",
  });
  const period = redirectOf({ state: "dead", last: "24h", from: "2026-01-31T14:03", to: "" });
  expect(Object.fromEntries(period.searchParams)).toEqual({ state: "dead", from: "2026-06-30T12:00:00.500Z" });
  expect(redirectOf({ kind: "" }).href).toBe("http://relay/dashboard/events");
});

test("a time is shown in its field as it was filled in, in each zone", () => {
  for (const zone of ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"]) {
    const from = redirectOf({ from: "2026-01-31T14:03:07" }, zone).searchParams.get("from") ?? "";
    expect(localTime(from, zone)).toBe("2026-01-31T14:03:07");
  }
});

test("what the list cannot be asked for is named and not ignored, and stays a condition that can be removed", () => {
  const { filter, query } = request({ kind: ["message", "comment"], nonsense: "1", from: "yesterday" });
  expect(filter).toMatchObject({
    code: "REQUEST_INVALID",
    message: expect.stringMatching(/^nonsense is no .*; kind is given more than once; from must be/) as string,
  });
  expect(query).toEqual({ kind: "comment", nonsense: "1", from: "yesterday" });
});

test("a list's address holds its conditions and its page", () => {
  const cursor = encodeCursor("17");
  const { query, older, filter } = request({ kind: "message", cursor });
  expect([query, older, filter]).toEqual([{ kind: "message" }, true, expect.objectContaining({ cursor: 17 })]);
  expect(listHref({ path, query }, cursor)).toBe(`${path}?kind=message&cursor=${cursor}`);
  expect(deliveriesHref({ runtime: "edge", region: "", error: undefined })).toBe("/dashboard/deliveries?runtime=edge");
});

test("rows do not wait for the total, which is null if it cannot be read", async () => {
  const order: string[] = [];
  const counted = await readListed(request({ kind: "message" }), async ({ count }) => {
    order.push(count === true ? "total" : "rows");
    return count === true ? { total: { count: 3, isCapped: false } } : { rows: 1 };
  });
  expect([counted.page, await counted.total, order]).toEqual([
    { rows: 1 },
    { count: 3, isCapped: false },
    ["rows", "total"],
  ]);
  const failed = await readListed(request({}), async ({ count }) => {
    if (count) throw new Error("too slow");
    return {};
  });
  expect(await failed.total).toBeNull();
});
