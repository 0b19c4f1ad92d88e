import { expect, test } from "vitest";

import { until } from "#local/until.ts";

import { createManualClock } from "../support/manual-clock.ts";

test("a look that hangs is one that finds nothing", async () => {
  const clock = createManualClock();
  const found = until(clock, 30_000, () => new Promise<never>(() => {}));
  await clock.advance(60_000);
  expect(await found).toBe(false);
  expect(clock.timersLeft()).toBe(0);
});
