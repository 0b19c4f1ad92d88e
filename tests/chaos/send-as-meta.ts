/**
 * Deliveries as Meta sends them: each at its time, whether or not others have been answered, and again later, ever more
 * rarely, if it was not acknowledged.
 */
import { Agent, request as sendRequest } from "node:http";

import { aborted } from "#local/aborted.ts";
import { signBody } from "#instagram/signature.ts";
import { type Clock, settleWithin, sleep } from "#platform/clock.ts";

import type { PlannedDelivery } from "./plan-deliveries.ts";

export interface SendAsMetaOptions {
  /** The receiver, without a slash at the end. */
  baseUrl: string;
  appSecret: string;
  /** Deliveries a second. */
  rate: number;
  /** Before it first sends again what was not acknowledged; the wait doubles each time. */
  retryDelayMs: number;
  clock: Clock;
  /** Stops sending; what was not acknowledged by then stays so. */
  signal: AbortSignal;
  onProgress: (progress: { sent: number; acked: number }) => void;
}

/** What became of a delivery, as Meta sees it. */
export interface SentDelivery {
  keys: readonly string[];
  /** The id in the acknowledgement; null if there was none. */
  ackedAs: string | null;
  /** How long the acknowledged request took. */
  ackMs: number | null;
  /** What each of the other requests got: a status, or the error's code where there was no answer. */
  refusals: readonly string[];
}

/** https://developers.facebook.com/docs/messenger-platform/webhooks: "within 5 seconds". */
const answerLimitMs = 5_000;
const retriesMax = 10;
/** Meta goes on for 36 hours, ever more rarely; here it has to fit the run. */
const retryDelayMsMax = 30_000;
/** Enough for all that a second of deliveries can keep open. */
const connectionsMax = 256;

/** Resolves when every delivery is acknowledged or given up, in their order. Never rejects. */
export async function sendAsMeta(
  deliveries: readonly PlannedDelivery[],
  options: SendAsMetaOptions,
): Promise<SentDelivery[]> {
  const { clock, rate, signal, onProgress } = options;
  // Node's own client takes a quarter of the time of `fetch`, and sender and server share the machine.
  const agent = new Agent({ keepAlive: true, maxSockets: connectionsMax });
  const sender: Sender = { ...options, agent, stopped: aborted(signal) };
  const startedMs = clock.monotonicMs();
  const progress = { sent: 0, acked: 0 };
  const sending: Promise<SentDelivery>[] = [];
  for (const [index, delivery] of deliveries.entries()) {
    await sleep(clock, startedMs + (index * 1_000) / rate - clock.monotonicMs());
    if (signal.aborted) break;
    progress.sent += 1;
    sending.push(
      deliver(delivery, sender).then((sent) => {
        if (sent.ackedAs !== null) progress.acked += 1;
        onProgress(progress);
        return sent;
      }),
    );
    onProgress(progress);
  }
  const sent = await Promise.all(sending);
  agent.destroy();
  return sent;
}

interface Sender extends SendAsMetaOptions {
  agent: Agent;
  /** Resolves when `signal` is aborted. */
  stopped: Promise<void>;
}

async function deliver(delivery: PlannedDelivery, sender: Sender): Promise<SentDelivery> {
  const { clock, signal } = sender;
  const refusals: string[] = [];
  const headers = {
    "content-type": "application/json",
    "content-length": String(delivery.body.byteLength),
    "x-hub-signature-256": await signBody(sender.appSecret, delivery.body),
  };
  for (let retry = 0; retry <= retriesMax && !signal.aborted; retry += 1) {
    if (retry > 0) {
      const delayMs = Math.min(sender.retryDelayMs * 2 ** (retry - 1), retryDelayMsMax);
      await settleWithin(clock, delayMs, sender.stopped);
    }
    const startedMs = clock.monotonicMs();
    const answer = await post(delivery, headers, sender);
    if (answer.deliveryId !== null) {
      return { keys: delivery.keys, ackedAs: answer.deliveryId, ackMs: clock.monotonicMs() - startedMs, refusals };
    }
    refusals.push(answer.refusal);
  }
  return { keys: delivery.keys, ackedAs: null, ackMs: null, refusals };
}

type Answer = { deliveryId: string } | { deliveryId: null; refusal: string };

function post({ path, body }: PlannedDelivery, headers: Record<string, string>, sender: Sender): Promise<Answer> {
  const { baseUrl, agent, clock } = sender;
  return new Promise((resolve) => {
    const outgoing = sendRequest(`${baseUrl}${path}`, { method: "POST", headers, agent }, (response) => {
      const { statusCode, headers: answered } = response;
      // Meta goes by the status alone: once that is here, the delivery is acknowledged.
      const id = answered["x-delivery-id"];
      const acked = statusCode === 200 && typeof id === "string";
      settle(acked ? { deliveryId: id } : { deliveryId: null, refusal: String(statusCode) });
      response.on("error", () => {});
      response.resume();
    });
    const cancelLimit = clock.after(answerLimitMs, () => outgoing.destroy(new TimeUp()));
    const settle = (answer: Answer) => {
      cancelLimit();
      resolve(answer);
    };
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      settle({ deliveryId: null, refusal: error.code ?? error.name });
    });
    outgoing.end(body);
  });
}

class TimeUp extends Error {
  override readonly name = "no answer";
}
