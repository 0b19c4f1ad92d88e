import { expect, onTestFinished, test } from "vitest";

import { systemClock as clock } from "#platform/clock.ts";
import { createVercelPublisher } from "#queue/vercel/vercel-publisher.ts";
import { readSignedMessage } from "#queue/vercel/signed-message.ts";

import { startHttpFaultProxy } from "../../support/http-fault-proxy.ts";
import { startSink } from "../../support/http-sink.ts";
import { testPublisher } from "../publisher-contract.ts";
import { startVercelQueue } from "./stand-in.ts";

const secret = "relay-secret-of-thirty-two-characters";
const topic = "relay-instagram-ingestion";

testPublisher("Vercel Queues", async () => {
  const consumer = await startSink();
  const vercel = await startVercelQueue({ relayUrl: () => consumer.url });
  const proxy = await startHttpFaultProxy({ target: vercel.url });
  const open = (token: string) =>
    createVercelPublisher({
      url: proxy.url,
      readToken: () => token,
      deploymentId: "dpl_example",
      secret,
      fetch,
      clock,
    });
  return {
    publisher: open(await vercel.signToken()),
    strangers: {
      wrong: open(await vercel.signToken(3_600, vercel.foreignKey)),
      expired: open(await vercel.signToken(-60)),
    },
    proxy,
    throttled: () => ({ answer: { status: 429, headers: { "retry-after": "30" } }, retryAfterMs: 30_000 }),
    readDelivered: () =>
      Promise.all(
        consumer.requests.map(async ({ body }) => {
          const read = await readSignedMessage([secret], topic, new Uint8Array(body));
          return read?.body ?? body;
        }),
      ),
    close: async () => {
      await vercel.close();
      await proxy.close();
      await consumer.close();
    },
  };
});

test("a message that Vercel keeps before it has an id is known by its idempotency key", async () => {
  const vercel = await startSink({ respond: () => ({ status: 202 }) });
  onTestFinished(() => vercel.close());
  const options = { url: vercel.url, readToken: () => "token", deploymentId: null, secret, fetch, clock };
  const batch = { body: new TextEncoder().encode("{}"), deduplicationId: "delivery-0", traceparent: null };
  const published = await createVercelPublisher(options).publish(batch, 5_000);
  expect(published).toEqual({ status: 202, messageId: "delivery-0" });
  expect(vercel.requests[0]?.headers["vqs-idempotency-key"]).toBe("delivery-0");
});
