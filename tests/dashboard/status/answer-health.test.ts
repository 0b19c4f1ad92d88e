import { expect, onTestFinished, test } from "vitest";

import { answerHealth } from "#dashboard/status/answer-health.ts";
import { readPathFaults } from "#dashboard/status/read-path.ts";
import { createRelayAddressReader } from "#dashboard/status/relay-address.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import { openDatabase } from "#store/connection/database.ts";

import { type Respond, startSink } from "../../support/http-sink.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { createRecordingLog } from "../../support/recording-log.ts";
import { openTestStore } from "../../support/store.ts";

const whole = {
  INSTAGRAM_APP_SECRET: "s",
  INSTAGRAM_VERIFY_TOKEN: "t",
  QSTASH_TOKEN: "t",
  QSTASH_CURRENT_SIGNING_KEY: "k",
  QSTASH_NEXT_SIGNING_KEY: "k",
  RELAY_SECRET: "relay-secret-of-thirty-two-characters",
};

/** The health of a relay with these variables, whose own address is answered by `respond`. */
async function setUp(env: Record<string, string | undefined>, respond: Respond = () => ({ status: 405 })) {
  const { db, url } = await openTestStore();
  const sink = await startSink({ respond });
  onTestFinished(() => sink.close());
  const manual = createManualClock();
  const recording = createRecordingLog();
  const readAddress = createRelayAddressReader({ fetch, clock: manual, log: recording.log });
  const record = { ...whole, RELAY_URL: sink.url, DATABASE_URL: url, ...env };
  const ask = async () => {
    const response = await answerHealth({
      openDatabase: () => (readEnv(record, ["DATABASE_URL"]), db),
      findFaults: () => readPathFaults(record, "qstash", readAddress),
      clock,
      version: "1.2.3",
      log: recording.log,
    });
    return [response.status, (await response.json()) as Record<string, unknown>] as const;
  };
  return { ask, sink, manual, recording };
}

const unknown = { queue: "unknown", maintenanceRanAt: null, ingestionPausedSince: null };
const ok = { status: "ok", store: "ok", ...unknown, version: "1.2.3" };

test("health is ok without faults, and our own address is requested at most once a minute", async () => {
  const { ask, sink, manual } = await setUp({ VERCEL_AUTOMATION_BYPASS_SECRET: "bypass" });
  await Promise.all([ask(), ask()]);
  expect(await ask()).toEqual([200, ok]);
  expect(sink.requests).toMatchObject([
    {
      method: "GET",
      target: "/api/qstash/instagram-ingestion",
      headers: { "x-vercel-protection-bypass": "bypass" },
    },
  ]);
  await manual.advance(60_000);
  await ask();
  expect(sink.requests).toHaveLength(2);
});

test("health fails and names the variables without which deliveries are not acknowledged or do not arrive", async () => {
  const { ask } = await setUp({ QSTASH_TOKEN: " ", ACK_MODE: "sometimes", QSTASH_NEXT_SIGNING_KEY: undefined });
  const message =
    "Configuration is incomplete: ACK_MODE is malformed, QSTASH_TOKEN is not set, QSTASH_NEXT_SIGNING_KEY is not set";
  expect(await ask()).toEqual([503, { ...ok, status: "failing", error: { code: "ENV_INVALID", message } }]);
});

test("without DATABASE_URL the answer names it with all other missing variables", async () => {
  const { ask, recording } = await setUp({ DATABASE_URL: undefined, RELAY_SECRET: undefined });
  const message = "Configuration is incomplete: RELAY_SECRET is not set, DATABASE_URL is not set";
  expect(await ask()).toEqual([503, { error: { code: "ENV_INVALID", message } }]);
  expect(recording.of("health.failed")).toMatchObject([{ level: "error", code: "ENV_INVALID", reason: message }]);
});

test.each([
  ["https://www.relay.example/api/qstash/instagram-ingestion", "https://www.relay.example"],
  ["https://vercel.com/sso-api?url=https://relay.example&nonce=secret", "https://vercel.com/sso-api"],
  ["https://relay.example/app/api/qstash/instagram-ingestion", "https://relay.example/app"],
  ["javascript:alert(1)", "an address that cannot be read"],
  ["http://[::1", "an address that cannot be read"],
  ["", "an address that cannot be read"],
])("health fails where RELAY_URL redirects to %s, and says where that leads", async (location, leadsTo) => {
  const { ask, recording } = await setUp({}, () => ({ status: 308, headers: { location } }));
  expect(await ask()).toEqual([503, { ...ok, status: "failing", relayUrl: { status: "redirects", leadsTo } }]);
  expect(recording.of("relay_url.redirects")).toMatchObject([{ leadsTo }]);
});

test.each([200, 401, 404])("health fails where another program answers %i at RELAY_URL", async (status) => {
  const { ask, recording } = await setUp({}, () => ({ status, body: "hi" }));
  expect(await ask()).toEqual([503, { ...ok, status: "failing", relayUrl: { status: "foreign", answered: status } }]);
  expect(recording.of("relay_url.foreign")).toMatchObject([{ status }]);
});

test.each([408, 429, 500, 503])("an answer of %i from RELAY_URL, which may pass, is no fault", async (status) => {
  const { ask } = await setUp({}, () => ({ status }));
  expect(await ask()).toEqual([200, ok]);
});

test("an own address that cannot be reached from here is no fault", async () => {
  const { ask } = await setUp({ RELAY_URL: "http://127.0.0.1:1" });
  expect(await ask()).toEqual([200, ok]);
});

test("a store that is down is reported beside other faults", async () => {
  const { db, close } = openDatabase("postgres://nobody@127.0.0.1:1/none");
  onTestFinished(close);
  const findFaults = async () => ({ configuration: "QSTASH_TOKEN is not set", redirectsTo: null, foreignStatus: null });
  const { log } = createRecordingLog();
  const response = await answerHealth({ openDatabase: () => db, findFaults, clock, version: "1", log });
  expect([response.status, await response.json()]).toMatchObject([
    503,
    { status: "down", store: "down", error: { code: "ENV_INVALID" } },
  ]);
});
