import { systemClock as clock } from "#platform/clock.ts";
import { createQstashPublisher } from "#queue/qstash/qstash-publisher.ts";

import { keys, startTestBroker } from "../../broker/test-broker.ts";
import { startHttpFaultProxy } from "../../support/http-fault-proxy.ts";
import { startSink } from "../../support/http-sink.ts";
import { testPublisher } from "../publisher-contract.ts";

testPublisher("QStash", async () => {
  const cleanUps: (() => Promise<void>)[] = [];
  const { broker } = await startTestBroker({}, (cleanUp) => cleanUps.unshift(cleanUp));
  const consumer = await startSink();
  const proxy = await startHttpFaultProxy({ target: broker.url });
  cleanUps.unshift(proxy.close, consumer.close);
  const open = (token: string) =>
    createQstashPublisher({
      url: proxy.url,
      token,
      destination: `${consumer.url}/api/qstash/instagram-ingestion`,
      failureCallback: `${consumer.url}/api/qstash/instagram-failure`,
      retries: 5,
      parallelism: null,
      bypassSecret: null,
      fetch,
      clock,
    });
  const waitMs = 30_000;
  return {
    publisher: open(keys.token),
    strangers: { wrong: open("another-token") },
    proxy,
    throttled: () => ({
      answer: {
        status: 429,
        headers: { "burst-ratelimit-reset": String(Math.ceil((clock.nowMs() + waitMs) / 1000)) },
      },
      retryAfterMs: waitMs,
    }),
    readDelivered: async () => consumer.requests.map(({ body }) => body),
    close: async () => {
      for (const cleanUp of cleanUps) await cleanUp();
    },
  };
});
