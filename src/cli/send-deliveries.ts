/** Signs deliveries as Meta does and posts them, one after another or at a steady rate. */
import { signBody } from "#instagram/signature.ts";
import type { Clock } from "#platform/clock.ts";
import { pauseFor } from "#local/pause-for.ts";

import type { DeliverySource } from "./delivery-sources.ts";
import { explainAck } from "./explain-ack.ts";
import { fetchOrFail } from "./fetch-or-fail.ts";

export interface SendOptions {
  url: string;
  appSecret: string;
  sources: readonly DeliverySource[];
  /** How many times each source is sent. */
  count: number;
  /** Deliveries per second, without waiting for answers; `null` sends each after the answer to the one before. */
  rate: number | null;
  clock: Clock;
  /** Aborted: no further one is sent. */
  signal: AbortSignal;
  onProgress: (done: number, total: number) => void;
}

export interface SentDelivery {
  source: string;
  /** Null if no answer came. */
  status: number | null;
  deliveryId: string | null;
  /** From the first byte sent to the last received. */
  ackMs: number;
  /** Why it was not acknowledged; null if it was. */
  error: string | null;
}

/** Meta waits no longer than this. https://developers.facebook.com/docs/graph-api/webhooks/getting-started */
const answerLimitMs = 20_000;

/** Resolves with the results in the order of sending. Rejects only if the first delivery gets no answer: then none will. */
export async function sendDeliveries(options: SendOptions): Promise<SentDelivery[]> {
  const { clock, rate, sources, count, signal } = options;
  const queue = Array.from({ length: count }, () => sources).flat();
  const startedMs = clock.monotonicMs();
  const results: Promise<SentDelivery>[] = [];
  let done = 0;
  for (const [index, source] of queue.entries()) {
    if (rate !== null) {
      await pauseFor(clock, startedMs + (index * 1000) / rate - clock.monotonicMs(), signal);
    }
    if (signal.aborted) break;
    const sending = sendOne(source, options, index === 0);
    const counted = sending.finally(() => options.onProgress(++done, queue.length));
    results.push(counted);
    if (rate === null || index === 0) await counted;
  }
  return Promise.all(results);
}

async function sendOne(source: DeliverySource, options: SendOptions, isFirst: boolean): Promise<SentDelivery> {
  const { clock, url, appSecret } = options;
  const body = source.body(clock.nowMs());
  const startedMs = clock.monotonicMs();
  const ackMs = () => Math.round((clock.monotonicMs() - startedMs) * 10) / 10;
  try {
    const answer = await postDelivery(url, appSecret, body);
    return { source: source.name, ...answer, ackMs: ackMs() };
  } catch (error) {
    if (isFirst) throw error;
    const message = error instanceof Error ? error.message : String(error);
    return { source: source.name, status: null, deliveryId: null, ackMs: ackMs(), error: message };
  }
}

/** Signs and posts one delivery. Throws a `CliFailure` if no answer comes within 20 s. */
export async function postDelivery(
  url: string,
  appSecret: string,
  body: Uint8Array,
): Promise<{ status: number; deliveryId: string | null; error: string | null }> {
  const headers = { "content-type": "application/json", "x-hub-signature-256": await signBody(appSecret, body) };
  const init = { method: "POST", headers, body: body as BodyInit };
  const { status, headers: answered, text } = await fetchOrFail(url, init, { limitMs: answerLimitMs });
  const error = explainAck({ status, text, location: answered.get("location") });
  return { status, deliveryId: answered.get("x-delivery-id"), error };
}
