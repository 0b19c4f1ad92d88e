import { answerEnqueue } from "#ingestion/answer-enqueue.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { createPostgresPublisher, postgresBytesMax } from "#queue/postgres/postgres-publisher.ts";
import type { QueuePublisher } from "#queue/publisher.ts";
import type { Database } from "#store/connection/database.ts";
import { enqueueMessage } from "#store/queue/queue-messages.ts";

import { startFetchServer } from "../../support/fetch-server.ts";
import { type HttpFaultProxy, startHttpFaultProxy } from "../../support/http-fault-proxy.ts";
import { createRecordingLog } from "../../support/recording-log.ts";

const secret = "relay-secret-of-thirty-two-characters";
const path = "/api/internal/enqueue";

export interface EnqueueRig {
  publisher: QueuePublisher;
  /** One that signs with another secret. */
  stranger: QueuePublisher;
  /** Between the publisher and the route. */
  proxy: HttpFaultProxy;
  close: () => Promise<void>;
}

/** The publisher and the route that it posts to. */
export async function startEnqueueRig(
  db: Database,
  drain: () => Promise<unknown> = async () => {},
): Promise<EnqueueRig> {
  const server = await startFetchServer((request) =>
    answerEnqueue(request, {
      readSecrets: () => [secret],
      bytesMax: postgresBytesMax,
      enqueue: (batch) =>
        enqueueMessage(db, { ...batch, route: "instagram-ingestion", delayMs: 0, label: "instagram" }),
      drain,
      waitUntil: (work) => void work,
      clock,
      log: createRecordingLog().log,
    }),
  );
  const proxy = await startHttpFaultProxy({ target: server.url });
  const open = (signedWith: string) =>
    createPostgresPublisher({ relayUrl: proxy.url, path, secret: signedWith, bypassSecret: null, fetch, clock });
  return {
    publisher: open(secret),
    stranger: open("another-secret-of-thirty-two-characters"),
    proxy,
    async close() {
      await proxy.close();
      await server.close();
    },
  };
}
