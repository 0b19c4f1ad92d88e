import { expect, onTestFinished, test } from "vitest";

import { signBody } from "#instagram/signature.ts";
import type { Batch } from "#queue/batch.ts";
import { events } from "#store/schema/event-schema.ts";

import { eventually } from "../support/eventually.ts";
import { type Respond, type Sink, startSink } from "../support/http-sink.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { openTestStore } from "../support/store.ts";
import { webhookRuntimes } from "../support/webhook-runtimes.ts";

const deliveryBody = (mid: string) =>
  new TextEncoder().encode(
    JSON.stringify({ object: "instagram", entry: [{ id: "1", time: 1, messaging: [{ message: { mid } }] }] }),
  );
/** 128 and the number of the signal. */
const stoppedBySigterm = 143;

async function openSink(respond: Respond): Promise<Sink> {
  const sink = await startSink({ respond });
  onTestFinished(() => sink.close());
  return sink;
}

/** A server that has acknowledged a delivery on either runtime, and of both of which QStash has heard. */
async function startAndDeliver(
  qstash: Sink,
  env: (baseUrl: string) => Record<string, string> & { RELAY_URL: string },
): Promise<TestServer> {
  const server = await startTestServer({
    env: (baseUrl) => ({
      INSTAGRAM_APP_SECRET: "app-secret",
      QSTASH_TOKEN: "token",
      QSTASH_URL: qstash.url,
      RELAY_SECRET: "relay-secret-of-thirty-two-characters",
      ...env(baseUrl),
    }),
  });
  for (const [index, path] of ["/api/webhooks/instagram", "/api/webhooks/instagram/node"].entries()) {
    const body = deliveryBody(`m${index}`);
    const headers = { "x-hub-signature-256": await signBody("app-secret", body) };
    expect((await fetch(server.baseUrl + path, { method: "POST", body, headers })).status).toBe(200);
    await qstash.next();
  }
  return server;
}

/** The runtimes whose deliveries were sent on. */
const runtimesOf = (requests: Sink["requests"]) =>
  requests.map((sent) => (JSON.parse(sent.body.toString()) as Batch).delivery.runtime).toSorted();

test("a server that is stopped right after its responses finishes the forwards first, on either runtime", async () => {
  const relay = await openSink(() => ({}));
  const refusals: (() => void)[] = [];
  const qstash = await openSink((_request, index) => {
    if (index > 1) return { body: '{"messageId":"msg_1"}' };
    return new Promise((resolve) => {
      refusals.push(() => resolve({ status: 503 }));
    });
  });
  const server = await startAndDeliver(qstash, () => ({ RELAY_URL: relay.url }));
  const stopped = server.stop();
  for (const refuse of refusals) refuse();
  expect(await stopped).toBe(stoppedBySigterm);
  // Only a process that waits for what it was given makes the second attempts.
  expect(runtimesOf(qstash.requests)).toEqual([...webhookRuntimes, ...webhookRuntimes].toSorted());
});

test("forwards that hang keep a server from stopping for as long as their budgets, and no longer", async () => {
  const silence = () => new Promise<never>(() => {});
  const [qstash, relay] = [await openSink(silence), await openSink(silence)];
  const budgets = { PUBLISH_TIMEOUT_MS: "400", PUBLISH_RETRIES: "0", FALLBACK_BUDGET_MS: "400" };
  const server = await startAndDeliver(qstash, () => ({ RELAY_URL: relay.url, ...budgets }));
  // Had it not ended by itself it would have been killed, and have no exit status.
  expect(await server.stop()).toBe(stoppedBySigterm);
  const fallbacks = relay.requests.filter(({ target }) => target === "/api/internal/fallback-ingestion");
  expect(runtimesOf(fallbacks)).toEqual(webhookRuntimes);
});

test("a server that is stopped while QStash refuses ingests its forwards itself and refuses new deliveries", async () => {
  const { db, url } = await openTestStore();
  const refusals: (() => void)[] = [];
  const qstash = await openSink(
    () =>
      new Promise((resolve) => {
        refusals.push(() => resolve({ status: 401 }));
      }),
  );
  const server = await startAndDeliver(qstash, (baseUrl) => ({ RELAY_URL: baseUrl, DATABASE_URL: url }));
  const stopped = server.stop();
  const body = deliveryBody("late");
  const headers = { "x-hub-signature-256": await signBody("app-secret", body) };
  // The signal takes its time, and closes idle connections; from then on Meta keeps its deliveries.
  const isRefused = () =>
    fetch(`${server.baseUrl}/api/webhooks/instagram`, { method: "POST", body, headers }).then(
      ({ status }) => status === 503,
      () => false,
    );
  await eventually("a new delivery is refused", isRefused, 15_000);
  for (const refuse of refusals) refuse();
  expect(await stopped).toBe(stoppedBySigterm);
  const keys = (await db.select().from(events)).map(({ key }) => key);
  expect(keys).toEqual(expect.arrayContaining(["message:1:m0", "message:1:m1"]));
});
