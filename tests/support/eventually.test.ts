import { expect, test } from "vitest";

import { advanceUntilSettled, createManualClock } from "./manual-clock.ts";
import { eventually, findWithin } from "./eventually.ts";

const never = new Promise<boolean>(() => {});

test.each([0, "", { id: 1 }])("eventually() returns what was found: %j", async (value) => {
  let looks = 0;
  expect(await eventually("something is found", () => ((looks += 1) < 3 ? undefined : value))).toBe(value);
  expect(looks).toBe(3);
});

test.each([
  ["finds false", () => false],
  ["finds null", () => null],
  ["finds nothing in a promise", async () => undefined],
  ["hangs", () => never],
])("eventually() fails with the name of the state when each look %s", async (_how, find) => {
  await expect(eventually("the queue is empty", find, 50)).rejects.toThrow(
    "Did not come true within 0.05 s: the queue is empty",
  );
});

test("eventually() passes on what a look throws", async () => {
  const refused = () => Promise.reject(new Error("refused"));
  await expect(eventually("the server answers", refused)).rejects.toThrow("refused");
});

test("findWithin() looks once more after its limit", async () => {
  let looks = 0;
  expect(await findWithin(0, () => (looks += 1) === 1)).toBe(true);
  expect(await findWithin(0, () => false)).toBe(undefined);
});

test("advanceUntilSettled() leaves a rejection to its caller", async () => {
  const clock = createManualClock(0);
  const failing = new Promise((_resolve, reject) => {
    clock.after(1_000, () => reject(new Error("late")));
  });
  await advanceUntilSettled(clock, failing, 100);
  await expect(failing).rejects.toThrow("late");
  expect(clock.monotonicMs()).toBe(1_000);
});
