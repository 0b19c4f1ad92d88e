/** The built edge part, in an isolate whose end the test decides. */
import { expect, onTestFinished, test } from "vitest";

import type { Strategy } from "#lifecycle/experiment.ts";
import { signInternal } from "#platform/internal-signature.ts";

import { openEdgeIsolate } from "../support/edge-isolate.ts";
import { startSink } from "../support/http-sink.ts";

const route = "/api/internal/lifecycle/edge/route";

async function setUp() {
  const sink = await startSink();
  onTestFinished(() => sink.close());
  const isolate = openEdgeIsolate({
    route,
    env: { RELAY_URL: sink.url, RELAY_SECRET: "relay-secret-of-thirty-two-characters" },
  });
  const begin = async (strategy: Strategy, dueAfterMs: number) => {
    const body = new TextEncoder().encode(JSON.stringify({ experimentId: "e_1", strategy, dueAfterMs }));
    const headers = {
      "x-relay-signature": await signInternal("relay-secret-of-thirty-two-characters", body, Date.now()),
    };
    const response = await isolate.call("/api/internal/lifecycle/edge", { method: "POST", body, headers });
    return ((await response.json()) as { status: string }).status;
  };
  return { sink, isolate, begin };
}

test.each<Strategy>(["after()", "waitUntil"])(
  "%s: by the time a platform may end the isolate the mark is there",
  async (strategy) => {
    const { sink, isolate, begin } = await setUp();
    expect(await begin(strategy, 50)).toBe("started");
    expect(sink.requests).toEqual([]);
    await Promise.all(isolate.waitedFor);
    expect(sink.requests.map(({ target }) => target)).toEqual(["/api/internal/lifecycle-marks"]);
    expect(JSON.parse(String(sink.requests[0]?.body))).toEqual({ experimentId: "e_1", runtime: "edge", strategy });
  },
);

test.each<Strategy>(["setTimeout", "floating promise"])(
  "%s: it may end it before, and only if it does not there is a mark",
  async (strategy) => {
    const { sink, isolate, begin } = await setUp();
    expect(await begin(strategy, 300)).toBe("started");
    await Promise.all(isolate.waitedFor);
    expect(sink.requests).toEqual([]);
    expect(JSON.parse(String((await sink.next()).body))).toMatchObject({ strategy });
  },
);

test.each<Strategy>(["setImmediate", "process.nextTick"])("%s is told to be unavailable", async (strategy) => {
  const { begin } = await setUp();
  expect(await begin(strategy, 0)).toBe("unavailable");
});
