import { expect, test } from "vitest";

import { gather } from "#queue/gather.ts";

import { createManualClock } from "../support/manual-clock.ts";

test("asks once for what comes within a moment, ten at a time, and tells each its own end", async () => {
  const clock = createManualClock();
  const requests: { items: readonly string[]; timeoutMs: number }[] = [];
  const add = gather<string>(async (items, timeoutMs) => {
    requests.push({ items, timeoutMs });
    if (items.includes("outage")) throw new Error("the queue is down");
    return new Map([["bad", new Error("refused")]]);
  }, clock);

  const first = Promise.allSettled([add("one", 5_000), add("bad", 1_000)]);
  expect(requests).toEqual([]);
  await clock.advance(50);
  expect((await first).map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);

  const many = Array.from({ length: 12 }, (_, index) => `${index}`);
  const all = Promise.all(many.map((item) => add(item, 60)));
  await clock.advance(30);
  await all;

  const down = Promise.allSettled([add("outage", 1_000), add("other", 1_000)]);
  await clock.advance(50);
  expect((await down).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(requests).toEqual([
    // What is left of the shortest time after the wait.
    { items: ["one", "bad"], timeoutMs: 950 },
    { items: many.slice(0, 10), timeoutMs: 30 },
    { items: many.slice(10), timeoutMs: 30 },
    { items: ["outage", "other"], timeoutMs: 950 },
  ]);
});
