/** Signs deliveries as Meta does and posts them, one after another or at a steady rate. */
import { signBody } from "#instagram/signature.ts";
import { type Clock, sleep } from "#platform/clock.ts";

import type { DeliverySource } from "./delivery-sources.ts";
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
  onProgress: (done: number, total: number) => void;
}

export interface SentDelivery {
  source: string;
  /** Null if no answer came; `error` then says why. */
  status: number | null;
  deliveryId: string | null;
  /** From the first byte sent to the last received. */
  ackMs: number;
  error: string | null;
}

/** Meta waits no longer than this. https://developers.facebook.com/docs/graph-api/webhooks/getting-started */
const answerLimitMs = 20_000;

/** Resolves with the results in the order of sending. Rejects only if the first delivery gets no answer: then none will. */
export async function sendDeliveries(options: SendOptions): Promise<SentDelivery[]> {
  const { clock, rate, sources, count } = options;
  const queue = Array.from({ length: count }, () => sources).flat();
  const startedMs = clock.monotonicMs();
  const results: Promise<SentDelivery>[] = [];
  let done = 0;
  for (const [index, source] of queue.entries()) {
    if (rate !== null) await sleep(clock, startedMs + (index * 1000) / rate - clock.monotonicMs());
    const sending = sendOne(source, options, index === 0);
    const counted = sending.finally(() => options.onProgress(++done, queue.length));
    results.push(counted);
    if (rate === null || index === 0) await counted;
  }
  return Promise.all(results);
}

async function sendOne(source: DeliverySource, options: SendOptions, isFirst: boolean): Promise<SentDelivery> {
  const { clock } = options;
  const body = source.body(clock.nowMs());
  const headers = {
    "content-type": "application/json",
    "x-hub-signature-256": await signBody(options.appSecret, body),
    "user-agent": "instagram-webhook-relay trigger",
  };
  const startedMs = clock.monotonicMs();
  const ackMs = () => Math.round((clock.monotonicMs() - startedMs) * 10) / 10;
  try {
    const init = { method: "POST", headers, body: body as BodyInit };
    const { status, headers: answered } = await fetchOrFail(options.url, init, answerLimitMs);
    const deliveryId = answered.get("x-delivery-id");
    return { source: source.name, status, deliveryId, ackMs: ackMs(), error: null };
  } catch (error) {
    if (isFirst) throw error;
    const message = error instanceof Error ? error.message : String(error);
    return { source: source.name, status: null, deliveryId: null, ackMs: ackMs(), error: message };
  }
}
