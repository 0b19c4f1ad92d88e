/** The built edge route, in an isolate that the test ends. */
import { expect, onTestFinished, test } from "vitest";

import type { Strategy } from "#lifecycle-experiment/experiment.ts";
import { signInternal } from "#platform/internal-signature.ts";

import { openEdgeIsolate } from "../support/edge-isolate.ts";
import { startSink } from "../support/http-sink.ts";

const path = "/api/internal/lifecycle/edge";
const route = `${path}/route`;

/** So long that the answer is here before the work is due, also on a busy machine. */
const dueAfterMs = 700;

async function setUp() {
  const sink = await startSink();
  onTestFinished(() => sink.close());
  const isolate = openEdgeIsolate({
    route,
    env: { RELAY_URL: sink.url, RELAY_SECRET: "relay-secret-of-thirty-two-characters" },
  });
  const begin = async (strategy: Strategy) => {
    const body = new TextEncoder().encode(JSON.stringify({ experimentId: "e_1", strategy, dueAfterMs }));
    const secret = "relay-secret-of-thirty-two-characters";
    const headers = { "x-relay-signature": await signInternal(secret, `POST ${path}`, body, Date.now()) };
    const response = await isolate.call(path, { method: "POST", body, headers });
    return ((await response.json()) as { status: string }).status;
  };
  return { sink, isolate, begin };
}

test.each<Strategy>(["after()", "waitUntil"])(
  "%s: the mark has arrived before the platform may end the isolate",
  async (strategy) => {
    const { sink, isolate, begin } = await setUp();
    expect(await begin(strategy)).toBe("started");
    expect(sink.requests).toEqual([]);
    await Promise.all(isolate.waitedFor);
    expect(sink.requests.map(({ target }) => target)).toEqual(["/api/internal/lifecycle-marks"]);
    expect(JSON.parse(String(sink.requests[0]?.body))).toEqual({ experimentId: "e_1", runtime: "edge", strategy });
  },
);

test.each<Strategy>(["setTimeout", "floating promise"])(
  "%s: the platform may end the isolate before the mark is sent",
  async (strategy) => {
    const { sink, isolate, begin } = await setUp();
    expect(await begin(strategy)).toBe("started");
    await Promise.all(isolate.waitedFor);
    expect(sink.requests).toEqual([]);
    expect(JSON.parse(String((await sink.next()).body))).toMatchObject({ strategy });
  },
);

test.each<Strategy>(["setImmediate", "process.nextTick"])("%s is answered as unavailable", async (strategy) => {
  const { begin } = await setUp();
  expect(await begin(strategy)).toBe("unavailable");
});
