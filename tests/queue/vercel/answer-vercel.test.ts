import { expect, onTestFinished, test } from "vitest";

import { systemClock as clock } from "#platform/clock.ts";
import { type ErrorCode, RelayError } from "#platform/errors.ts";
import type { QueueCall } from "#queue/queue-call.ts";
import { createAnswerVercel } from "#queue/vercel/answer-vercel.ts";
import { signMessage } from "#queue/vercel/signed-message.ts";
import { createVercelMessagePublisher } from "#queue/vercel/vercel-message-publisher.ts";

import { eventually } from "../../support/eventually.ts";
import { startFetchServer } from "../../support/fetch-server.ts";
import { createRecordingLog } from "../../support/recording-log.ts";
import delivery from "./recorded/delivery.json" with { type: "json" };
import { startVercelQueue } from "./stand-in.ts";

const secret = "relay-secret-of-thirty-two-characters";
const topic = "relay-handlers";
const message = { to: "handlers" as const, body: '{"é":1}', label: "handlers", retries: 3 };

/** The queue, the route's answer on a server, and what the route was called with. `fails`: the first calls, so. */
async function open({ fails = [], large = false }: { fails?: readonly ErrorCode[]; large?: boolean } = {}) {
  const calls: QueueCall[] = [];
  const givenUp: string[] = [];
  const recording = createRecordingLog();
  let relayUrl = "";
  const vercel = await startVercelQueue({ relayUrl: () => relayUrl, large });
  const token = await vercel.signToken();
  const answerCall = createAnswerVercel({
    route: "handlers",
    readQueue: () => ({ urlOf: () => vercel.url, region: "iad1", token, deploymentId: null, secrets: ["old", secret] }),
    giveUp: async ({ body }) => void givenUp.push(body),
    clock,
    log: recording.log,
  });
  const answer = (request: Request) =>
    answerCall(request, "handlers.refused", async (call) => {
      const code = fails[calls.push(call) - 1];
      if (code !== undefined)
        throw new RelayError(code, "It failed", code === "OVERLOADED" ? { retryAfterMs: 7_000 } : {});
      return Response.json({});
    });
  const server = await startFetchServer(answer);
  relayUrl = server.url;
  onTestFinished(async () => {
    await vercel.close();
    await server.close();
  });
  const options = { url: vercel.url, readToken: () => token, deploymentId: null, secret, fetch, clock };
  return { vercel, answer, calls, givenUp, recording, publisher: createVercelMessagePublisher(options) };
}

test.each([
  ["in the delivery", false],
  ["that is fetched by its id", true],
])("a message %s is handed over as it was, and acknowledged", async (_which, large) => {
  const { vercel, calls, publisher } = await open({ large });
  const { messageId } = await publisher.publish(message, 5_000);
  await eventually("the delivery is answered", () => vercel.answers.length > 0);
  expect(vercel.acknowledged).toEqual([messageId]);
  expect(calls).toMatchObject([{ body: message.body, messageId, retried: 0 }]);
  expect(vercel.received).toEqual(large ? [messageId] : []);
  expect(vercel.answers).toEqual([200]);
});

test("a message with a delay waits for it, in whole seconds", async () => {
  const { vercel, calls, publisher } = await open();
  await publisher.publish({ ...message, delayMs: 86_399_001, deduplicationId: "one" }, 5_000);
  const [sent] = vercel.messages.values();
  expect(sent?.headers).toMatchObject({ "vqs-delay-seconds": "86400", "vqs-idempotency-key": "one" });
  expect(calls).toEqual([]);
});

test("a failed delivery comes again later and later, or when the route asks for it", async () => {
  const { vercel, calls, publisher } = await open({ fails: ["STORE_UNAVAILABLE", "OVERLOADED", "STORE_UNAVAILABLE"] });
  await publisher.publish(message, 5_000);
  await eventually("the message is acknowledged", () => vercel.acknowledged.length > 0);
  expect(calls.map(({ retried }) => retried)).toEqual([0, 1, 2, 3]);
  expect(vercel.postponed).toEqual([10, 7, 40]);
});

test("after its retries a message is given up and acknowledged", async () => {
  const fails: ErrorCode[] = ["INTERNAL", "INTERNAL", "INTERNAL", "INTERNAL", "INTERNAL"];
  const { vercel, calls, givenUp, publisher } = await open({ fails });
  await publisher.publish(message, 5_000);
  await eventually("the message is acknowledged", () => vercel.acknowledged.length > 0);
  expect([calls.length, givenUp]).toEqual([4, [message.body]]);
});

/** A delivery as a stranger would send it, to a route that is not guarded. */
async function forge(
  answer: (request: Request) => Promise<Response>,
  body: Uint8Array,
  headers: Record<string, string>,
) {
  const all = { ...delivery.headers, "ce-vqsqueuename": topic, ...headers };
  const init = { method: "POST", headers: all, body: new Uint8Array(body) };
  return (await answer(new Request("http://localhost:3000/api/vercel/handlers", init))).status;
}

test("what the relay did not sign for this route is refused, and the queue is asked for nothing", async () => {
  const { vercel, answer, calls, recording } = await open();
  const body = new TextEncoder().encode(message.body);
  const right = await signMessage(secret, topic, 3, body);
  const text = new TextDecoder().decode(right);
  const forged: Record<string, Uint8Array> = {
    "not signed": body,
    "signed with another secret": await signMessage("x".repeat(32), topic, 3, body),
    "for another route": await signMessage(secret, "relay-maintenance", 3, body),
    "another body": new TextEncoder().encode(text.replace('"é":1', '"é":2')),
    "other retries": new TextEncoder().encode(text.replace(" 3\n", " 9\n")),
    empty: new Uint8Array(0),
  };
  const statuses: Record<string, number> = {};
  for (const [which, bytes] of Object.entries(forged)) statuses[which] = await forge(answer, bytes, {});
  expect(statuses).toEqual(Object.fromEntries(Object.keys(forged).map((which) => [which, 401])));
  expect(await forge(answer, right, { "ce-vqsqueuename": "relay-maintenance" })).toBe(401);
  const malformed = [{ "ce-type": "com.vercel.queue.v1beta" }, { "ce-vqsregion": "evil.example/" }];
  for (const headers of malformed) expect(await forge(answer, right, headers)).toBe(401);
  expect([calls, vercel.received, vercel.acknowledged, vercel.postponed]).toEqual([[], [], [], []]);
  expect(new Set(recording.lines.map(({ code }) => code))).toEqual(new Set(["SIGNATURE_INVALID"]));
});

test("a message that the queue does not hand over comes again, and the log says so", async () => {
  const { answer, calls, recording } = await open();
  const { "ce-vqsreceipthandle": _receipt, ...routing } = delivery.headers;
  const headers = { ...routing, "ce-vqsqueuename": topic, "ce-vqsmessageid": "0-404" };
  const { status } = await answer(new Request("http://localhost:3000/", { method: "POST", headers }));
  expect([status, calls]).toEqual([503, []]);
  expect(recording.lines).toMatchObject([{ event: "handlers.refused", level: "error", code: "QUEUE_UNAVAILABLE" }]);
});

test("a message of our own queue that we did not sign is not taken, and comes again", async () => {
  const { vercel, answer, calls } = await open({ large: true });
  const token = await vercel.signToken();
  const headers = { authorization: `Bearer ${token}`, "vqs-retention-seconds": "60", "vqs-delay-seconds": "60" };
  await fetch(`${vercel.url}/api/v3/topic/${topic}`, { method: "POST", headers, body: message.body });
  const { "ce-vqsreceipthandle": _receipt, ...routing } = delivery.headers;
  const delivered = new Request("http://localhost:3000/", {
    method: "POST",
    headers: { ...routing, "ce-vqsqueuename": topic, "ce-vqsmessageid": "0-1" },
  });
  await answer(delivered);
  expect([calls, vercel.received, vercel.acknowledged, vercel.postponed]).toEqual([[], ["0-1"], [], [10]]);
});
