import { expect, onTestFinished, test } from "vitest";

import { createNextDeliveryReader } from "#dashboard/deliveries/next-delivery.ts";
import { RelayError } from "#platform/errors.ts";

import { type Respond, startSink } from "../../support/http-sink.ts";
import { createManualClock } from "../../support/manual-clock.ts";

const soon = Date.UTC(2026, 0, 31, 12);
const entry = (state: string, nextDeliveryTime?: number) => ({ time: 1, messageId: "m", state, nextDeliveryTime });
const answer = (...events: object[]) => ({ status: 200, body: JSON.stringify({ events }) });

async function setUp(respond: Respond) {
  const sink = await startSink({ respond });
  onTestFinished(() => sink.close());
  const clock = createManualClock();
  const read = createNextDeliveryReader({ readSettings: () => ({ url: sink.url, token: "t" }), fetch, clock });
  return { sink, clock, read };
}

test("QStash is asked for each message, and the soonest delivery counts", async () => {
  const { sink, read } = await setUp(({ target }) =>
    answer(entry("RETRY", soon + (target.includes("msg_2") ? 0 : 60_000)), entry("ERROR", 5)),
  );
  expect(await read(["msg_1", "msg_2"])).toBe("2026-01-31T12:00:00.000Z");
  expect(sink.requests.map(({ target }) => target)).toEqual([
    "/v2/events?messageId=msg_1&count=10",
    "/v2/events?messageId=msg_2&count=10",
  ]);
  expect(sink.requests[0]).toMatchObject({ headers: { authorization: "Bearer t" } });
});

test("an answer is kept for 30 seconds", async () => {
  const { sink, clock, read } = await setUp(() => answer(entry("RETRY", soon)));
  await Promise.all([read(["msg_1"]), read(["msg_1"])]);
  expect(await read(["msg_1"])).toBe("2026-01-31T12:00:00.000Z");
  expect(sink.requests).toHaveLength(1);
  await clock.advance(30_000);
  await read(["msg_1"]);
  expect(sink.requests).toHaveLength(2);
});

test.each<[string, ReturnType<Respond>]>([
  ["has delivered the message", answer(entry("DELIVERED"), entry("RETRY", soon))],
  ["has given it up", answer(entry("FAILED"))],
  ["does not know it", answer()],
  ["refuses the token", { status: 401, body: '{"error":"unauthorized"}' }],
  ["answers no JSON", { status: 502, body: "Bad gateway" }],
])("the next delivery is unknown where QStash %s", async (_name, response) => {
  const { read } = await setUp(() => response);
  expect(await read(["msg_1"])).toBeUndefined();
});

test("it is unknown too without an answer in two seconds, without a configuration and without a message's id", async () => {
  const clock = createManualClock();
  const hanging: typeof fetch = (_url, init) =>
    new Promise((_resolve, reject) => {
      init?.signal?.addEventListener("abort", () => reject(new Error("aborted")));
    });
  const settings = { url: "http://127.0.0.1:1", token: "t" };
  const reading = createNextDeliveryReader({ readSettings: () => settings, fetch: hanging, clock })(["msg_1"]);
  await clock.advance(2_000);
  expect(await reading).toBeUndefined();
  const readSettings = () => {
    throw new RelayError("ENV_INVALID", "QSTASH_TOKEN is not set");
  };
  const unconfigured = createNextDeliveryReader({ readSettings, fetch, clock });
  expect([await unconfigured(["msg_1"]), await unconfigured([])]).toEqual([undefined, undefined]);
});
