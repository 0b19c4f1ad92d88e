import { expect, test } from "vitest";

import { createGuessLimit } from "#dashboard/guess-limit.ts";

test("ten wrong tokens are compared, and the next one only a minute after the first", () => {
  const limit = createGuessLimit();
  for (let guess = 0; guess < 10; guess += 1) {
    expect(limit.refusalOf("a", 1_000 + guess)).toBeNull();
    limit.countWrong("a", 1_000 + guess);
  }
  expect(limit.refusalOf("a", 31_000)).toEqual({ retryAfterMs: 30_000, isFirst: true });
  expect(limit.refusalOf("a", 60_999)).toEqual({ retryAfterMs: 1, isFirst: false });
  expect(limit.refusalOf("a", 61_000)).toBeNull();
  expect(limit.refusalOf("b", 31_000)).toBeNull();
});

test("after a hundred wrong tokens from many clients every wrong one is refused, and no client is blocked", () => {
  const limit = createGuessLimit();
  const refusals = Array.from({ length: 150 }, (_, client) => limit.countWrong(`client ${client}`, client));
  expect(refusals.findIndex((refusal) => refusal !== null)).toBe(100);
  expect(refusals.filter((refusal) => refusal?.isFirst)).toHaveLength(1);
  expect(limit.refusalOf("an operator", 200)).toBeNull();
  expect(limit.countWrong("an operator", 60_000)).toBeNull();
});

test("the latest thousand clients are counted", () => {
  const limit = createGuessLimit();
  const useUp = (client: string) => Array.from({ length: 10 }, () => limit.countWrong(client, 0));
  for (let client = 0; client <= 1_000; client += 1) useUp(`client ${client}`);
  expect(limit.refusalOf("client 0", 0)).toBeNull();
  expect(limit.refusalOf("client 1", 0)).not.toBeNull();
  expect(limit.refusalOf("client 1000", 0)).not.toBeNull();
});
