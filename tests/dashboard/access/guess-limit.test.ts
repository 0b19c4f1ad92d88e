import { expect, test } from "vitest";

import { createGuessLimit } from "#dashboard/access/guess-limit.ts";
import { systemClock } from "#platform/clock.ts";
import { countWrongToken, forgetWrongTokens } from "#store/operators/wrong-tokens.ts";

import { createManualClock } from "../../support/manual-clock.ts";
import { openTestStore } from "../../support/store.ts";

/** A limit whose process is the only one, or cannot reach Postgres. */
const createAlone = () => createGuessLimit({ share: () => Promise.reject(new Error("down")), clock: systemClock });

test("ten wrong tokens are compared, and the next one only a minute after the first", async () => {
  const limit = createAlone();
  for (let guess = 0; guess < 10; guess += 1) {
    expect(limit.refusalOf("a", 1_000 + guess)).toBeNull();
    await limit.countWrong("a", 1_000 + guess);
  }
  expect(limit.refusalOf("a", 31_000)).toEqual({ scope: "client", retryAfterMs: 30_000, isFirst: true });
  expect(limit.refusalOf("a", 60_999)).toEqual({ scope: "client", retryAfterMs: 1, isFirst: false });
  expect(limit.refusalOf("a", 61_000)).toBeNull();
  expect(limit.refusalOf("b", 31_000)).toBeNull();
});

test("after a hundred wrong tokens from many clients every wrong one is refused, and no client is blocked", async () => {
  const limit = createAlone();
  const guesses = Array.from({ length: 150 }, (_, client) => limit.countWrong(`client ${client}`, client));
  const refusals = await Promise.all(guesses);
  expect(refusals.filter((refusal) => refusal?.scope === "all")).toHaveLength(50);
  expect(refusals.filter((refusal) => refusal?.isFirst)).toHaveLength(1);
  expect(limit.refusalOf("an operator", 200)).toBeNull();
  expect(await limit.countWrong("an operator", 60_000)).toBeNull();
});

test("the latest thousand clients are counted", async () => {
  const limit = createAlone();
  for (let client = 0; client <= 1_000; client += 1) {
    await Promise.all(Array.from({ length: 10 }, () => limit.countWrong(`client ${client}`, 0)));
  }
  expect(limit.refusalOf("client 0", 0)).toBeNull();
  expect(limit.refusalOf("client 1", 0)).not.toBeNull();
  expect(limit.refusalOf("client 1000", 0)).not.toBeNull();
});

test("two processes share both limits, and no row is kept for longer than necessary", async () => {
  const { db, pool } = await openTestStore();
  const share = (client: string) => countWrongToken(db, client);
  // It stands still: an answer waits half a second for Postgres, which may need longer on a busy machine.
  const clock = createManualClock();
  const [first, second] = [0, 1].map(() => createGuessLimit({ share, clock }));
  for (let guess = 0; guess < 10; guess += 1) expect(await first?.countWrong("a", guess)).toBeNull();
  expect(await second?.countWrong("a", 10)).toMatchObject({ scope: "client", isFirst: true });
  expect(second?.refusalOf("a", 11)).toMatchObject({ scope: "client", isFirst: false });
  expect(await second?.countWrong("b", 12)).toBeNull();

  await pool.query("insert into relay.wrong_tokens (client) select 'other ' || i from generate_series(1, 100) i");
  expect(await first?.countWrong("c", 20)).toMatchObject({ scope: "all", isFirst: true });
  expect(first?.refusalOf("d", 21)).toBeNull();

  await pool.query("update relay.wrong_tokens set at = at - interval '2 minutes'");
  expect(await countWrongToken(db, "a")).toEqual({ ofClient: 1, ofAll: 1 });
  await pool.query("update relay.wrong_tokens set at = at - interval '2 minutes'");
  expect(await forgetWrongTokens(db)).toBe(1);
});
