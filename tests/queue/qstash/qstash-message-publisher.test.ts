import { expect, onTestFinished, test } from "vitest";

import { systemClock as clock } from "#platform/clock.ts";
import { createQstashMessagePublisher } from "#queue/qstash/qstash-message-publisher.ts";

import { type Respond, startSink } from "../../support/http-sink.ts";

async function openPublisher(respond: Respond, bypassSecret: string | null = null) {
  const qstash = await startSink({ respond });
  onTestFinished(() => qstash.close());
  const options = { qstashUrl: qstash.url, token: "token", relayUrl: "https://relay.example", bypassSecret };
  return { publisher: createQstashMessagePublisher({ ...options, fetch, clock }), qstash };
}

test("publishes a message to our own route, with what it asks for", async () => {
  const { publisher, qstash } = await openPublisher(() => ({ body: '{"messageId":"msg_1"}' }), "bypass");
  const message = { to: "handlers" as const, body: "{}", label: "handlers", retries: 3 };
  const flowControl = { key: "replay", value: "rate=10, period=60s", delayMs: 2_000 };
  const published = publisher.publish({ ...message, delayMs: 9_001, deduplicationId: "one", flowControl }, 1_000);
  expect(await published).toEqual({ messageId: "msg_1" });
  const { target, headers, body } = await qstash.next();
  expect(target).toBe("/v2/publish/https://relay.example/api/qstash/handlers");
  expect(body.toString()).toBe("{}");
  expect(headers).toMatchObject({
    authorization: "Bearer token",
    "upstash-method": "POST",
    "upstash-delay": "10s",
    "upstash-retries": "3",
    "upstash-label": "handlers",
    "upstash-deduplication-id": "one",
    "upstash-flow-control-key": "replay",
    "upstash-flow-control-value": "rate=10, period=60s",
    "upstash-failure-callback": "https://relay.example/api/qstash/instagram-failure",
    "upstash-forward-x-vercel-protection-bypass": "bypass",
    "upstash-failure-callback-forward-x-vercel-protection-bypass": "bypass",
  });
});

test("asks for nothing that the message does not", async () => {
  const { publisher, qstash } = await openPublisher(() => ({ body: '{"messageId":"msg_1"}' }));
  await publisher.publish({ to: "handlers", body: "{}", label: "handlers", retries: 3 }, 1_000);
  const { headers } = await qstash.next();
  const names = Object.keys(headers).filter((name) => /^upstash-(delay|dedup|flow|forward)/.test(name));
  expect(names).toEqual([]);
});

test.each([
  [500, "{}", "PUBLISH_UNAVAILABLE"],
  [401, "{}", "PUBLISH_REJECTED"],
  [200, "hello", "PUBLISH_UNCONFIRMED"],
])("rejects if QStash answers %i and %s", async (status, body, code) => {
  const { publisher } = await openPublisher(() => ({ status, body }));
  const published = publisher.publish({ to: "handlers", body: "{}", label: "handlers", retries: 3 }, 1_000);
  await expect(published).rejects.toMatchObject({ code });
});

test("rejects if QStash is silent", async () => {
  const { publisher } = await openPublisher(() => new Promise<never>(() => {}));
  const published = publisher.publish({ to: "handlers", body: "{}", label: "handlers", retries: 3 }, 50);
  await expect(published).rejects.toMatchObject({ name: "TimeoutError" });
});
