import { beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { countOwnTakings } from "#ingestion/drain/count-own-takings.ts";
import { systemClock as clock } from "#platform/clock.ts";
import type { BatchToPublish } from "#queue/publisher.ts";
import type { PulledQueue } from "#queue/pulled-queue.ts";
import type { PulledMessage } from "#queue/pulled-queue.ts";
import { createSqsApi, type SqsApiOptions } from "#queue/sqs/sqs-api.ts";
import { createSqsPublisher } from "#queue/sqs/sqs-publisher.ts";
import { createSqsPulledQueue } from "#queue/sqs/sqs-pulled-queue.ts";
import { openDatabase } from "#store/connection/database.ts";
import { openQueueTakings } from "#store/queue/queue-takings.ts";

import { eventually } from "../../support/eventually.ts";
import { startHttpFaultProxy } from "../../support/http-fault-proxy.ts";
import { openTestStore } from "../../support/store.ts";
import { jsonOf, nameOf } from "../contract-bodies.ts";
import { testDrain } from "../drain-contract.ts";
import { testPublisher } from "../publisher-contract.ts";
import { testPulledQueue } from "../pulled-contract.ts";
import { type SqsServer, startSqsServer } from "./sqs-server.ts";

const messageBytesMax = 262_144;
const timeoutMs = 5_000;

/** A queue of its own behind a proxy that can fail, on a server of its own. */
async function openQueue(name: string, attributes: Record<string, string> = {}) {
  const server = await startSqsServer();
  server.createQueue(name, { attributes: { MaximumMessageSize: String(messageBytesMax), ...attributes } });
  const proxy = await startHttpFaultProxy({ target: server.url });
  const options: SqsApiOptions = {
    queueUrl: `${proxy.url}/000000000000/${name}`,
    ...server.credentials,
    fetch,
    clock,
  };
  const publisher = (other: Partial<SqsApiOptions> = {}) =>
    createSqsPublisher({ ...options, ...other, messageBytesMax });
  const queue = (waitSeconds = 0) => createSqsPulledQueue({ ...options, waitSeconds });
  const close = async () => {
    await proxy.close();
    await server.close();
  };
  return { server, proxy, options, publisher, queue, close };
}

const toPublish = (body: BatchToPublish["body"], deduplicationId = crypto.randomUUID()): BatchToPublish => ({
  body,
  deduplicationId,
  traceparent: null,
});

testPublisher("SQS", async () => {
  const { publisher, queue, proxy, close } = await openQueue("batches");
  const delivered: Uint8Array[] = [];
  const early = { ...clock, nowMs: () => clock.nowMs() - 20 * 60_000 };
  return {
    publisher: publisher(),
    strangers: {
      unknown: publisher({ accessKeyId: "AKIDOTHER" }),
      wrong: publisher({ secretAccessKey: "another" }),
      expired: publisher({ sessionToken: "expired" }),
      early: publisher({ clock: early }),
    },
    proxy,
    throttled: () => ({
      answer: {
        status: 400,
        body: Buffer.from('{"__type":"com.amazonaws.sqs#RequestThrottled","message":"The request was denied"}'),
      },
      retryAfterMs: undefined,
    }),
    async readDelivered() {
      const source = queue();
      for (;;) {
        const taken = await source.take(10, 60_000, timeoutMs);
        if (taken.length === 0) return delivered;
        for (const message of taken) {
          delivered.push(message.body);
          await source.acknowledge(message, timeoutMs);
        }
      }
    },
    close,
  };
});

testPulledQueue("SQS", async () => {
  const { publisher, queue, proxy, close } = await openQueue("batches");
  const { publish, bytesMax } = publisher();
  return {
    queue: queue(),
    other: queue(),
    publish: (body, traceparent = null) => publish({ ...toPublish(body), traceparent }, timeoutMs),
    bytesMax,
    goDown: proxy.goDown,
    comeUp: proxy.comeUp,
    uncounts: false,
    close,
  };
});

testDrain("SQS", async () => {
  const { publisher, options, close } = await openQueue("batches");
  const { fetch: _fetch, clock: _clock, ...written } = options;
  return { publisher: publisher(), settings: { name: "sqs", options: { ...written, waitSeconds: 1 } }, close };
});

test("takings that met an outage are not counted, though SQS counts them, and failures are", async () => {
  const { publisher, queue, close } = await openQueue("batches");
  onTestFinished(close);
  const store = await openTestStore();
  const down = openDatabase(store.url);
  await down.close();
  const [source, whileDown] = [store, down].map(({ db }) => countOwnTakings(queue(1), openQueueTakings(db, "sqs")));
  if (source === undefined || whileDown === undefined) throw new Error("Both are there");
  const takeOne = async (from: PulledQueue) => {
    const [message] = await from.take(1, 60_000, timeoutMs);
    if (message === undefined) throw new Error("Nothing was taken");
    return message;
  };
  await publisher().publish(toPublish(jsonOf(100, "patient")), timeoutMs);
  for (let outage = 0; outage < 4; outage += 1) {
    const message = await takeOne(source);
    expect(message.retried).toBe(0);
    await source.giveBack(message, 0, timeoutMs, true);
  }
  for (let outage = 0; outage < 2; outage += 1) {
    const message = await takeOne(whileDown);
    expect(message.retried).toBe(2);
    await whileDown.giveBack(message, 0, timeoutMs, true);
  }
  for (let failure = 0; failure < 3; failure += 1) {
    const message = await takeOne(source);
    expect(message.retried).toBe(failure);
    await source.giveBack(message, 0, timeoutMs);
  }
  await source.acknowledge(await takeOne(source), timeoutMs);
  expect((await store.pool.query("select from relay.queue_takings")).rowCount).toBe(0);
  expect(await source.take(1, 60_000, timeoutMs)).toEqual([]);

  // The first taking's failure counts, too.
  await publisher().publish(toPublish(jsonOf(100, "fails at once")), timeoutMs);
  await source.giveBack(await takeOne(source), 0, timeoutMs);
  expect((await takeOne(source)).retried).toBe(1);
});

describe("a FIFO queue", () => {
  let rig: Awaited<ReturnType<typeof openQueue>>;
  let server: SqsServer;
  beforeAll(async () => {
    rig = await openQueue("batches.fifo", { FifoQueue: "true" });
    ({ server } = rig);
    return rig.close;
  });

  test("takes a batch twice as one, holds none back behind another, and deletes ten in one request", async () => {
    const bodies = Array.from({ length: 10 }, (_, index) => jsonOf(100, `fifo ${index}`));
    for (const [index, body] of bodies.entries()) {
      const ids = await Promise.all(
        [1, 2].map(() => rig.publisher().publish(toPublish(body, `delivery-${index}`), timeoutMs)),
      );
      expect(ids[0]?.messageId).toBe(ids[1]?.messageId);
    }
    server.actions.length = 0;
    const queue = rig.queue(1);
    const taken = await queue.take(50, 60_000, timeoutMs);
    // All at once: a group with a message that is taken would hold back its others.
    expect(taken.map(({ body }) => nameOf(body)).toSorted()).toEqual(bodies.map(nameOf).toSorted());
    await Promise.all(taken.map((message) => queue.acknowledge(message, timeoutMs)));
    expect(server.actions).toEqual(["ReceiveMessage", "DeleteMessageBatch"]);
  });
});

test("a message that SQS does not delete is named by its error, and the others of the request are acknowledged", async () => {
  const { publisher, queue, proxy, close } = await openQueue("batches");
  onTestFinished(close);
  for (const name of ["one", "other"]) await publisher().publish(toPublish(jsonOf(100, name)), timeoutMs);
  const source = queue();
  const taken: PulledMessage[] = [];
  await eventually("both are taken", async () => {
    taken.push(...(await source.take(10, 60_000, timeoutMs)));
    return taken.length === 2;
  });
  const Failed = [
    { Id: "0", Code: "InternalError", SenderFault: false },
    { Id: "1", Code: "ReceiptHandleIsInvalid", SenderFault: true },
  ];
  const body = Buffer.from(JSON.stringify({ Successful: [], Failed }));
  proxy.setFault(() => ({ forwards: false, instead: { status: 200, body } }));
  const settled = await Promise.allSettled(taken.map((message) => source.acknowledge(message, timeoutMs)));
  expect(settled).toMatchObject([
    {
      status: "rejected",
      reason: { code: "PUBLISH_REJECTED", message: "SQS did not delete a message: InternalError" },
    },
    // An old receipt: the message is another taker's, or gone.
    { status: "fulfilled" },
  ]);
});

describe("SQS's refusals", () => {
  let rig: Awaited<ReturnType<typeof openQueue>>;
  beforeAll(async () => {
    rig = await openQueue("batches", { MaximumMessageSize: "2048" });
    return rig.close;
  });
  const refusal = (publisher: ReturnType<typeof rig.publisher>, bytes = 100) =>
    publisher.publish(toPublish(jsonOf(bytes, "refused")), timeoutMs).catch((thrown: unknown) => thrown);

  test("name the clock, the queue that does not exist, and a message larger than the queue allows", async () => {
    const late = { ...clock, nowMs: () => clock.nowMs() + 20 * 60_000 };
    expect(await refusal(rig.publisher({ clock: late }))).toMatchObject({
      code: "PUBLISH_UNAUTHORIZED",
      message: "SQS answered 400 InvalidSignatureException: the clock here differs from SQS's by more than it allows",
    });
    expect(await refusal(rig.publisher({ queueUrl: `${rig.options.queueUrl}-2` }))).toMatchObject({
      code: "PUBLISH_NOT_FOUND",
      message: "SQS answered 400 QueueDoesNotExist",
    });
    expect(await refusal(rig.publisher(), 2_000)).toMatchObject({ code: "PUBLISH_OVER_QUOTA" });
  });

  test("what someone else has put into the queue is handed over as it is", async () => {
    await createSqsApi(rig.options)("SendMessage", { MessageBody: "not ours: é" }, timeoutMs);
    const queue = rig.queue();
    const [message] = await eventually("the message is taken", async () => {
      const taken = await queue.take(1, 60_000, timeoutMs);
      return taken.length > 0 && taken;
    });
    expect(new TextDecoder().decode(message?.body)).toBe("not ours: é");
  });
});
