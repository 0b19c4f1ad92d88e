import { expect, onTestFinished, test } from "vitest";

import { signBody } from "#instagram/signature.ts";

import { type SinkResponse, startSink } from "../support/http-sink.ts";
import { startTestServer } from "../support/server.ts";

const body = new TextEncoder().encode(
  '{"object":"instagram","entry":[{"id":"1","time":1,"messaging":[{"message":{"mid":"m1"}}]}]}',
);

test.each([
  ["edge", ""],
  ["node", "/node"],
])("a server told to stop right after the response finishes the forward first: %s", async (_name, path) => {
  let refuseFirst: () => void = () => {};
  const first = new Promise<SinkResponse>((resolve) => {
    refuseFirst = () => resolve({ status: 503 });
  });
  const qstash = await startSink({ respond: (_request, index) => (index === 0 ? first : { body: "{}" }) });
  onTestFinished(() => qstash.close());
  const server = await startTestServer({
    env: (baseUrl) => ({
      INSTAGRAM_APP_SECRET: "app-secret",
      QSTASH_TOKEN: "token",
      QSTASH_URL: qstash.url,
      RELAY_URL: baseUrl,
      RELAY_SECRET: "relay-secret",
    }),
  });
  const response = await fetch(`${server.baseUrl}/api/webhooks/instagram${path}`, {
    method: "POST",
    body,
    headers: { "x-hub-signature-256": await signBody("app-secret", body) },
  });
  expect(response.status).toBe(200);
  await qstash.next();

  const stopped = server.stop();
  refuseFirst();
  await stopped;
  // Only a process that waits for what it was given makes the second attempt.
  expect(qstash.requests).toHaveLength(2);
});
