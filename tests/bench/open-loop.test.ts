import { expect, test } from "vitest";

import { sendOpenLoop } from "./open-loop.ts";

const random = () => 0;

test("an open loop sends whether or not those before are answered", async () => {
  const count = 10;
  let answerAll: () => void = () => {};
  const answers = new Promise<void>((resolve) => {
    answerAll = resolve;
  });
  const send = (index: number) => {
    if (index === count - 1) answerAll();
    return answers;
  };
  const { latenciesMs } = await sendOpenLoop({ ratePerSecond: 1_000, count, random, send });
  expect(latenciesMs).toHaveLength(count);
  // The first waited for all the others to be sent.
  expect(latenciesMs[0]).toBeGreaterThanOrEqual(count - 1);
});

test("a stall counts for those who would have been sent during it", async () => {
  const stallMs = 50;
  const send = (index: number) => {
    if (index === 0) for (const startedMs = performance.now(); performance.now() - startedMs < stallMs;);
    return Promise.resolve();
  };
  const { latenciesMs, lateMs } = await sendOpenLoop({ ratePerSecond: 100, count: 3, random, send });
  expect(lateMs[1]).toBeGreaterThanOrEqual(stallMs - 10);
  expect(latenciesMs[2]).toBeGreaterThanOrEqual(stallMs - 20);
});

test("a failed one ends the loop", async () => {
  const sent: number[] = [];
  const send = (index: number) => {
    sent.push(index);
    return index === 1 ? Promise.reject(new Error("refused")) : Promise.resolve();
  };
  await expect(sendOpenLoop({ ratePerSecond: 1_000, count: 1_000, random, send })).rejects.toThrow("refused");
  expect(sent.length).toBeLessThan(1_000);
});
