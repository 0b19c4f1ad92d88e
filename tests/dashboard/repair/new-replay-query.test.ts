import { expect, test } from "vitest";

import { parseNewReplay } from "#dashboard/repair/new-replay-query.ts";
import { newReplayHref } from "#dashboard/repair/replay-address.ts";

const parse = (query: Record<string, string> | string) => parseNewReplay(new URLSearchParams(query));

test("the address of a list of events becomes the plan of a replay, and back", () => {
  const query = {
    kind: "comment",
    state: "dead",
    error: "TypeError",
    group: "7",
    ids: "1,2",
    test: "false",
    runtime: "edge",
    replay: "rp_1",
    from: "2026-01-31T12:00:00.000Z",
    mode: "again",
    ratePerMinute: "600",
    reason: "mended",
  };
  const asked = parse({ ...query, limit: "20", cursor: "MQ", count: "true", data: "none" });
  expect(asked).toMatchObject({ filter: { group: 7, ids: [1, 2], test: false }, mode: "again", ratePerMinute: 600 });
  expect(Object.fromEntries(new URL(newReplayHref(asked), "http://localhost").searchParams)).toEqual(query);
  expect(parse({ state: "handled" }).mode).toBe("again");
  expect(parse({ kind: "message" })).toMatchObject({ mode: "unfinished", ratePerMinute: 6_000, reason: "" });
});

test.each([
  ["an unknown parameter", "acount=1&kind=message", /^acount is no parameter/],
  ["a repeated one", "kind=message&kind=comment", /^kind is given more than once/],
  ["no condition", "mode=again", /has no condition/],
  ["erased events", "state=erased", /^state must be one of/],
  ["a search", "q=hello&kind=message", /cannot be frozen/],
  ["an odd pace", "kind=message&ratePerMinute=999999", /ratePerMinute must be at most/],
])("an address with %s plans nothing", (_name, query, message) => {
  expect(() => parse(query)).toThrow(message);
});
