/** The rotation of docs/QSTASH_SETUP.md, rehearsed with the relay running. */
import { expect, onTestFinished, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { startTestRelay, type TestRelay } from "../support/relay.ts";

interface Keys {
  current: string;
  next: string;
}

/** Asks the broker with the token of tests/support/relay.ts. */
async function ask<T>(relay: TestRelay, method: string, path: string): Promise<T> {
  const response = await fetch(relay.broker.url + path, { method, headers: { authorization: "Bearer qstash-token" } });
  return response.json();
}

function deliver(relay: TestRelay, mid: string): Promise<Response> {
  const item = { sender: { id: "1" }, recipient: { id: "2" }, timestamp: Date.now(), message: { mid, text: "hello" } };
  return relay.deliver(
    "node",
    JSON.stringify({ object: "instagram", entry: [{ id: "2", time: 1, messaging: [item] }] }),
  );
}

async function ingest(relay: TestRelay, mid: string): Promise<Record<string, unknown>> {
  const response = await deliver(relay, mid);
  return relay.journey(response.headers.get("x-delivery-id") ?? "");
}

function deploy(relay: TestRelay, { current, next }: Keys): Promise<void> {
  return relay.redeploy({ QSTASH_CURRENT_SIGNING_KEY: current, QSTASH_NEXT_SIGNING_KEY: next });
}

test("rotating, deploying the new keys and rotating again refuses no delivery; a step left out does", async () => {
  const relay = await startTestRelay();
  onTestFinished(() => relay.stop());
  const rotate = () => ask<Keys>(relay, "POST", "/v2/keys/rotate");
  expect(await ingest(relay, "before")).toMatchObject({ inserted: 1 });

  // 1. Rotate: what was the next key signs now, and the relay has it.
  const first = await rotate();
  expect(await ingest(relay, "rotated")).toMatchObject({ inserted: 1, error: null });

  // 2. Copy both keys and deploy.
  await deploy(relay, first);
  expect(await ingest(relay, "deployed")).toMatchObject({ inserted: 1, error: null });

  // 3. Only then rotate again.
  const second = await rotate();
  expect(second.current).toBe(first.next);
  expect(await ingest(relay, "rotated again")).toMatchObject({ inserted: 1, error: null });

  // A further rotation without a deployment leaves the relay without a key that fits: QStash's retries wait for it.
  const third = await rotate();
  await deliver(relay, "too early");
  const retried = async () => {
    const { logs } = await ask<{ logs: { responseStatus: number }[] }>(relay, "GET", "/v2/logs?state=RETRY");
    return logs.length > 0 && logs.every(({ responseStatus }) => responseStatus === 401);
  };
  await eventually("the delivery is refused with 401 and kept for a retry", retried);
  await deploy(relay, third);
  expect(await ingest(relay, "afterwards")).toMatchObject({ inserted: 1, error: null });
}, 60_000);
