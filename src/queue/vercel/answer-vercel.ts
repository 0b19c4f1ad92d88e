import { BufferTransport, CLOUD_EVENT_TYPE_V2BETA, QueueClient } from "@vercel/queue";

import { type Clock, settleWithin } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import { readBody } from "#platform/read-body.ts";
import { refuse } from "#platform/refuse.ts";

import { answerBounded, type GiveUp } from "../bounded-retries.ts";
import type { AnswerQueueCall, QueueCall, RefusalEvent } from "../queue-call.ts";
import type { QueueRoute } from "../queue-route.ts";
import { readCount } from "../retries-header.ts";
import { readSignedMessage } from "./signed-message.ts";
import { vercelTopic } from "./vercel-topic.ts";

/** How the queue is reached from a delivery. */
export interface VercelQueue {
  /** The base URL of a region's API: a message is acknowledged in the region that delivers it. */
  urlOf: (region: string) => string;
  region: string;
  token: string;
  deploymentId: string | null;
  /** RELAY_SECRET. */
  secrets: readonly string[];
}

export interface AnswerVercelOptions {
  route: QueueRoute;
  /** Throws `ENV_INVALID` if a variable is missing. */
  readQueue: () => VercelQueue;
  giveUp: GiveUp;
  clock: Clock;
  log: Log;
}

/** A function's body has at most 4.5 MB; a larger message is fetched. https://vercel.com/docs/functions/limitations */
const bodyBytesMax = 4_718_592;
const bodyTimeoutMs = 20_000;
/** The lease, which @vercel/queue extends while the route works. */
const visibilityTimeoutSeconds = 120;
/** A little less than the route may run. */
const limitMs = 88_000;
const idPattern = /^[\w-]{1,200}$/;

/**
 * Answers a delivery by Vercel Queues with @vercel/queue, which holds the lease, acknowledges, or has the message delivered
 * again. It verifies nothing: a delivery says who it is for, and any caller can send one to a route that the platform does
 * not guard. So a message counts only if we signed it. https://vercel.com/docs/queues/concepts
 */
export function createAnswerVercel(options: AnswerVercelOptions): AnswerQueueCall {
  return (request, event, answer) => answerDelivery(request, event, options, answer);
}

async function answerDelivery(
  request: Request,
  event: RefusalEvent,
  { route, readQueue, giveUp, clock, log }: AnswerVercelOptions,
  answer: (call: QueueCall, log: Log) => Promise<Response>,
): Promise<Response> {
  const times = { atMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
  const { headers } = request;
  // Logged before anything is verified.
  const messageId = idPattern.exec(headers.get("ce-vqsmessageid") ?? "")?.[0] ?? null;
  const callLog = log.with({ messageId });
  const topic = vercelTopic(route);
  let isTaken = false;

  async function take(
    message: Uint8Array<ArrayBuffer>,
    retried: number,
    secrets: readonly string[],
  ): Promise<Response> {
    isTaken = true;
    const messageLog = retried > 0 ? callLog.with({ retried }) : callLog;
    const read = await readSignedMessage(secrets, topic, message);
    if (read === null) return refuse(messageLog, event, notOurs());
    const body = new TextDecoder("utf-8", { ignoreBOM: true }).decode(read.body);
    const call = { body, bytes: read.body, messageId, retried, ...times };
    return answerBounded({ call, retries: read.retries, event, log: messageLog, answer, giveUp });
  }

  try {
    // Before any variable is read: where another queue is used they are missing, and a stranger's call must log no error.
    if (headers.get("ce-vqsqueuename") !== topic || !isWellFormed(headers)) throw notOurs();
    const queue = readQueue();
    const bytes = await readBody(request, { bytesMax: bodyBytesMax, timeoutMs: bodyTimeoutMs, clock });
    const isWhole = headers.has("ce-vqsreceipthandle");
    // Before the queue is asked for anything. Without the message in it, a delivery names what is fetched from our own queue.
    if (isWhole && (await readSignedMessage(queue.secrets, topic, bytes)) === null) throw notOurs();
    const callback = openClient(queue).handleCallback<Uint8Array<ArrayBuffer>>(
      async (message, { deliveryCount }) => {
        const response = await take(new Uint8Array(message), Math.max(0, deliveryCount - 1), queue.secrets);
        if (!response.ok) throw new DeliverAgain(readCount(response.headers.get("retry-after")));
      },
      {
        visibilityTimeoutSeconds,
        retry: (error, { deliveryCount }) => ({ afterSeconds: pauseS(error, deliveryCount) }),
      },
    );
    const delivery = new Request(request.url, { method: "POST", headers, body: isWhole ? bytes : null });
    const response = (await settleWithin(clock, limitMs, callback(delivery))) ?? timedOut();
    // What @vercel/queue says of it is text of its own, which no alert reads.
    if (!response.ok && !isTaken)
      throw new RelayError("QUEUE_UNAVAILABLE", "Vercel Queues did not hand the message over");
    return response;
  } catch (thrown) {
    return refuse(callLog, event, thrown);
  }
}

/** Of the form of delivery that is asked for: what else a stranger sends, @vercel/queue would print with its stack. */
function isWellFormed(headers: Headers): boolean {
  const region = headers.get("ce-vqsregion");
  return headers.get("ce-type") === CLOUD_EVENT_TYPE_V2BETA && (region === null || /^[a-z]{2,5}\d{1,2}$/.test(region));
}

function openClient({ urlOf, ...queue }: VercelQueue): QueueClient {
  return new QueueClient({
    ...queue,
    resolveBaseUrl: (region) => new URL(urlOf(region)),
    transport: new BufferTransport(),
    telemetry: { isEnabled: true },
  });
}

/** The message was not dealt with. */
class DeliverAgain extends Error {
  readonly afterS: number | undefined;

  constructor(afterS: number | undefined) {
    super("The message is to be delivered again");
    this.afterS = afterS;
  }
}

/** The longest pause that Vercel keeps to. */
const pauseMaxS = 900;

/** 10 s, and twice as long each time, unless the answer names a time. */
function pauseS(error: unknown, deliveryCount: number): number {
  const asked = error instanceof DeliverAgain ? error.afterS : undefined;
  return Math.min(pauseMaxS, asked ?? 10 * 2 ** Math.min(10, deliveryCount - 1));
}

function notOurs(): RelayError {
  return new RelayError("SIGNATURE_INVALID", "The message is not signed by this relay for this route");
}

function timedOut(): never {
  throw new RelayError("QUEUE_UNAVAILABLE", "Vercel Queues did not take the acknowledgement in time");
}
