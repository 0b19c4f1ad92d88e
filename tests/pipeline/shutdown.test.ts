import { expect, onTestFinished, test } from "vitest";

import { signBody } from "#instagram/signature.ts";
import type { Batch } from "#queue/batch.ts";

import { type Respond, type Sink, startSink } from "../support/http-sink.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const body = new TextEncoder().encode(
  '{"object":"instagram","entry":[{"id":"1","time":1,"messaging":[{"message":{"mid":"m1"}}]}]}',
);
/** 128 and the number of the signal. */
const stoppedBySigterm = 143;

async function openSink(respond: Respond): Promise<Sink> {
  const sink = await startSink({ respond });
  onTestFinished(() => sink.close());
  return sink;
}

/** A server that has acknowledged a delivery on either runtime, and of both of which QStash has heard. */
async function startAndDeliver(qstash: Sink, relayUrl: string, env: Record<string, string> = {}): Promise<TestServer> {
  const server = await startTestServer({
    env: {
      INSTAGRAM_APP_SECRET: "app-secret",
      QSTASH_TOKEN: "token",
      QSTASH_URL: qstash.url,
      RELAY_URL: relayUrl,
      RELAY_SECRET: "relay-secret",
      ...env,
    },
  });
  const headers = { "x-hub-signature-256": await signBody("app-secret", body) };
  for (const path of ["/api/webhooks/instagram", "/api/webhooks/instagram/node"]) {
    expect((await fetch(server.baseUrl + path, { method: "POST", body, headers })).status).toBe(200);
    await qstash.next();
  }
  return server;
}

/** The runtimes whose deliveries were sent on. */
const runtimesOf = (requests: Sink["requests"]) =>
  requests.map((sent) => (JSON.parse(sent.body.toString()) as Batch).delivery.runtime).toSorted();

test("a server told to stop right after its responses finishes the forwards first, on either runtime", async () => {
  const relay = await openSink(() => ({}));
  const refusals: (() => void)[] = [];
  const qstash = await openSink((_request, index) => {
    if (index > 1) return { body: "{}" };
    return new Promise((resolve) => {
      refusals.push(() => resolve({ status: 503 }));
    });
  });
  const server = await startAndDeliver(qstash, relay.url);
  const stopped = server.stop();
  for (const refuse of refusals) refuse();
  expect(await stopped).toBe(stoppedBySigterm);
  // Only a process that waits for what it was given makes the second attempts.
  expect(runtimesOf(qstash.requests)).toEqual(["edge", "edge", "nodejs", "nodejs"]);
});

test("forwards that hang keep a server from stopping for as long as their budgets, and no longer", async () => {
  const silence = () => new Promise<never>(() => {});
  const [qstash, relay] = [await openSink(silence), await openSink(silence)];
  const budgets = { PUBLISH_TIMEOUT_MS: "400", PUBLISH_RETRIES: "0", FALLBACK_BUDGET_MS: "400" };
  const server = await startAndDeliver(qstash, relay.url, budgets);
  // Had it not ended by itself it would have been killed, and have no exit status.
  expect(await server.stop()).toBe(stoppedBySigterm);
  const fallbacks = relay.requests.filter(({ target }) => target === "/api/internal/fallback-ingestion");
  expect(runtimesOf(fallbacks)).toEqual(["edge", "nodejs"]);
});
