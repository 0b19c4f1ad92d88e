import { durable } from "#instagram/ack-policy.ts";
import type { ReceivedDelivery } from "#instagram/received-delivery.ts";
import { createSignatureVerifier } from "#instagram/signature.ts";
import { createWebhookHandler, type WebhookSettings } from "#instagram/webhook-handler.ts";
import { type Clock, systemClock } from "#platform/clock.ts";
import { createDeliveryId } from "#platform/delivery-id.ts";
import { RelayError } from "#platform/errors.ts";
import { createLog, describeCause, type Log, writeToConsole } from "#platform/log.ts";
import { refuse } from "#platform/refuse.ts";

import type { InstagramEvent } from "./instagram-event.ts";

/** What is known of a delivery beside its events. */
export interface Delivery {
  /** Of this POST: a repeated delivery has another id, and its events have the same keys. */
  id: string;
  /** In milliseconds since the epoch. */
  receivedAtMs: number;
  bodyBytes: number;
  /** Which of the app secrets signed it, from 0. */
  secretIndex: number;
  /** The W3C trace context that it came with, or one of its own. */
  traceparent: string | null;
}

export interface ReceiverOptions {
  /**
   * The app secrets as Meta shows them: a delivery is genuine if any of them signed it. Empty and undefined ones are left
   * out; if none is left, each delivery is answered with 503.
   */
  appSecrets: readonly (string | undefined)[];
  /** The token of Meta's handshake; without one the handshake is answered with 503. */
  verifyToken: string | undefined;
  /**
   * Called once for each genuine delivery that has events. It keeps them, and resolves when they are kept. If it rejects or
   * takes longer than four seconds, the answer is 503 and Meta sends the delivery again: a known `key` is then a duplicate.
   */
  onEvents: (events: readonly InstagramEvent[], delivery: Delivery) => unknown;
  /**
   * Keeps the invocation alive until the promise settles. With it the answer is 200 at once, and what `onEvents` does not
   * keep is lost; after such a loss answers wait for `onEvents` until it resolves again.
   */
  waitUntil?: ((promise: Promise<unknown>) => void) | undefined;
  /** A larger body is answered with 413. 3 MB unless given. */
  bodyBytesMax?: number | undefined;
  /** Takes each log line, a JSON object without secrets and message text. The console unless given. */
  log?: ((level: "debug" | "info" | "warn" | "error", line: string) => void) | undefined;
  /** Written into log lines; `nodejs` unless given. */
  runtime?: "edge" | "nodejs" | undefined;
  clock?: Clock | undefined;
}

/** Meta documents bodies up to 3 MB for its WhatsApp webhook. */
const defaultBodyBytesMax = 3_145_728;

/**
 * Creates the function that answers Meta: the handshake (GET) and deliveries (POST); other methods get 405. It never
 * rejects. Create one receiver for a process, not one for each request: it remembers its keys and whether events are kept.
 */
export function createReceiver(options: ReceiverOptions): (request: Request) => Promise<Response> {
  const { waitUntil, clock = systemClock, runtime = "nodejs" } = options;
  const log = createLog({ clock, write: options.log ?? writeToConsole });
  let settings: WebhookSettings<boolean> | undefined;
  const handler = createWebhookHandler<boolean>({
    runtime,
    region: null,
    deployment: null,
    clock,
    log,
    newId: (receivedAtMs) => createDeliveryId(receivedAtMs, crypto.randomUUID()),
    waitUntil: waitUntil ?? (() => {}),
    readVerifyToken: () => known([options.verifyToken], "verifyToken")[0],
    readSettings: () => (settings ??= createSettings(options, log)),
    countRefusal: () => undefined,
  });
  return async (request) => {
    const fault = request.method === "POST" ? faultOf(request) : null;
    if (fault !== null) return refuse(log, "delivery.refused", new RelayError("INTERNAL", fault));
    if (request.method === "POST") return handler.post(request);
    return request.method === "GET" || request.method === "HEAD" ? handler.get(request) : handler.refuseMethod();
  };
}

/**
 * Why no signature of this request can be right, however genuine it is: what read the body before leaves nothing of it, and
 * Node's own request has none. Null if nothing is wrong.
 */
function faultOf(request: Request): string | null {
  if (typeof request.headers.get !== "function")
    return "The receiver takes a Request of the Fetch API, and got something else, Node's or Express's for example";
  if (request.bodyUsed || request.body?.locked === true)
    return "The body was read before the receiver got the request: a middleware or body parser must leave it unread";
  return null;
}

function createSettings(options: ReceiverOptions, log: Log): WebhookSettings<boolean> {
  return {
    verify: createSignatureVerifier(known(options.appSecrets, "appSecrets")).verify,
    relaySecret: null,
    bodyBytesMax: options.bodyBytesMax ?? defaultBodyBytesMax,
    ack: { mode: options.waitUntil === undefined ? durable : { kind: "immediate" }, publishBudgetMs: 0 },
    forward: (delivery) => {
      const kept = keep(delivery, options, log);
      return { kept, result: kept };
    },
    report: async () => {},
  };
}

/** The values without white space around them, which pasting adds. Throws `ENV_INVALID` if there is none. */
function known(values: readonly (string | undefined)[], name: string): [string, ...string[]] {
  const [first, ...rest] = values.flatMap((value) => value?.trim() || []);
  if (first === undefined) throw new RelayError("ENV_INVALID", `The receiver has no ${name}`);
  return [first, ...rest];
}

/** Whether the delivery's events are kept. Never rejects. */
async function keep(
  { id, receivedAtMs, bodyBytes, secretIndex, traceparent, events }: ReceivedDelivery,
  { onEvents }: ReceiverOptions,
  log: Log,
): Promise<boolean> {
  if (events.length === 0) return true;
  try {
    await onEvents(events as readonly InstagramEvent[], { id, receivedAtMs, bodyBytes, secretIndex, traceparent });
    return true;
  } catch (thrown) {
    log.error("forward.failed", { deliveryId: id, ...describeCause(thrown) });
    return false;
  }
}
