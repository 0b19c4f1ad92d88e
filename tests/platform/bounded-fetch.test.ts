import { expect, test } from "vitest";

import { fetchWithin, TimeoutError } from "#platform/bounded-fetch.ts";

import { createManualClock } from "../support/manual-clock.ts";

const silent = () => new Promise<never>(() => {});
const stalledBody = () => Promise.resolve(new Response(new ReadableStream({ pull: silent })));

test.each([
  ["never answers", silent],
  ["stalls in the middle of its body", stalledBody],
])("a request that %s is a timeout, also if fetch takes no notice of the abort", async (_what, fetch) => {
  const clock = createManualClock();
  const outcome = fetchWithin(1_000, "http://relay.test/", {}, { fetch, clock }).catch((thrown: unknown) => thrown);
  await clock.advance(1_000);
  expect(await outcome).toEqual(new TimeoutError("No answer within 1000 ms"));
  expect(clock.timersLeft()).toBe(0);
});

test("an abort closes the connection, and is a timeout too", async () => {
  const clock = createManualClock();
  let isClosed = false;
  const fetch: typeof globalThis.fetch = (_url, init) =>
    new Promise((_resolve, reject) => {
      init?.signal?.addEventListener("abort", () => {
        isClosed = true;
        reject(new DOMException("aborted", "AbortError"));
      });
    });
  const outcome = fetchWithin(1_000, "http://relay.test/", {}, { fetch, clock }).catch((thrown: unknown) => thrown);
  await clock.advance(1_000);
  expect(await outcome).toBeInstanceOf(TimeoutError);
  expect(isClosed).toBe(true);
});

test("what fetch throws is passed on, and no timer is left", async () => {
  const clock = createManualClock();
  const fetch = () => Promise.reject(new TypeError("fetch failed"));
  await expect(fetchWithin(1_000, "http://relay.test/", {}, { fetch, clock })).rejects.toThrow("fetch failed");
  expect(clock.timersLeft()).toBe(0);
});
