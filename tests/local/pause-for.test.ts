import { getEventListeners } from "node:events";

import { expect, test } from "vitest";

import { pauseFor } from "#local/pause-for.ts";

import { createManualClock } from "../support/manual-clock.ts";

test("a pause ends with its time or its signal, and leaves neither a timer nor a listener", async () => {
  const clock = createManualClock();
  const stopping = new AbortController();
  const { signal } = stopping;
  const passed = pauseFor(clock, 1_000, signal);
  await clock.advance(1_000);
  await passed;
  expect([clock.timersLeft(), getEventListeners(signal, "abort")]).toEqual([0, []]);
  const stopped = pauseFor(clock, 1_000, signal);
  stopping.abort();
  await stopped;
  expect([clock.timersLeft(), getEventListeners(signal, "abort")]).toEqual([0, []]);
});
