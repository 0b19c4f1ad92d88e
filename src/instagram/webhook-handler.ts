import { type Clock, settleWithin } from "#platform/clock.ts";
import type { Runtime } from "#platform/delivery.ts";
import type { AckMode } from "#platform/env.ts";
import { errorResponse, RelayError, toRelayError } from "#platform/errors.ts";
import { describeCause, type Log } from "#platform/log.ts";
import { verifyInternal } from "#platform/internal-signature.ts";
import { probeHeader, probePurpose } from "#platform/probe-mark.ts";
import { checkAnnounced, readBody } from "#platform/read-body.ts";

import { verifyHandshake } from "./handshake.ts";
import type { ReceivedDelivery } from "./received-delivery.ts";
import { isSignedRequest } from "./is-signed-request.ts";
import { createSignatureVerifier, isSignature, type SignatureVerifier } from "./signature.ts";
import { parseWebhook } from "./webhook-parser.ts";

/** What is known once the response is made. */
export interface Ack {
  /** From handler entry to response, on a monotonic clock. */
  ms: number;
  /** Whether the delivery was acknowledged. */
  given: boolean;
}

export interface Forwarding {
  /** Whether somebody else has the events now. */
  kept: Promise<boolean>;
  /** The whole of it, the report included. */
  settled: Promise<void>;
}

/**
 * Hands a delivery on. Starts at once; both promises are bounded in time and never reject. `mode`: what the ack waits for,
 * so that a forward it waits for hurries.
 */
export type Forward = (delivery: ReceivedDelivery, ack: Promise<Ack>, mode: AckMode) => Forwarding;

export interface WebhookSettings {
  /** A delivery is genuine if any of them signed it. */
  appSecrets: readonly string[];
  /** `RELAY_SECRET`, which marks probes. */
  relaySecret: string;
  ackMode: AckMode;
  bodyBytesMax: number;
  forward: Forward;
}

export interface WebhookHandlerOptions {
  runtime: Runtime;
  region: string | null;
  clock: Clock;
  log: Log;
  newId: () => string;
  /** The platform's promise to keep the invocation alive until this settles. */
  waitUntil: (promise: Promise<unknown>) => void;
  /** Throws `ENV_INVALID` if there is none. */
  readVerifyToken: () => string;
  /** Called for each delivery, before anything is acked; throws `ENV_INVALID` if something is missing. */
  readSettings: () => WebhookSettings;
  /** Hears why a delivery was refused; what it returns, the report of many, is bounded in time and never rejects. */
  countRefusal: (reason: string) => Promise<void> | undefined;
}

export interface WebhookHandler {
  /** The handshake. */
  get(request: Request): Promise<Response>;
  /** A delivery. */
  post(request: Request): Promise<Response>;
  /** Any other method: 405 with `Allow`, which Next leaves out. */
  refuseMethod(): Response;
}

/** A sender gets this long for its body; Meta gives us five seconds for everything. */
const bodyTimeoutMs = 10_000;
/**
 * From handler entry on: `durable` answers within Meta's five seconds either way.
 * https://developers.facebook.com/docs/messenger-platform/webhooks
 */
const durableLimitMs = 4_000;
const durable: AckMode = { kind: "durable" };

/** The webhook's both ends, the same on every runtime: handshake and deliveries. */
export function createWebhookHandler(options: WebhookHandlerOptions): WebhookHandler {
  const { clock, log, newId, runtime, region } = options;
  let isFirst = true;
  let verifier: SignatureVerifier | undefined;
  /** Whether the delivery of which it was known last was kept. While not, Meta should keep what we cannot. */
  let isKeeping = true;

  async function receive(request: Request, settings: WebhookSettings, receivedAtMs: number): Promise<ReceivedDelivery> {
    const coldStart = isFirst;
    isFirst = false;
    checkAnnounced(request, settings.bodyBytesMax);
    const header = request.headers.get("x-hub-signature-256");
    // Before the body is read: what nobody signed costs no memory.
    if (!isSignature(header))
      throw wrongSignature("must be sent once, as sha256= and 64 hex digits", "SIGNATURE_MISSING");
    const body = await readBody(request, { bytesMax: settings.bodyBytesMax, timeoutMs: bodyTimeoutMs, clock });
    verifier ??= createSignatureVerifier(settings.appSecrets);
    const secretIndex = await verifier.verify(body, header);
    if (secretIndex === null) throw wrongSignature("does not match the body under any configured app secret");
    if (isSignedRequest(body)) throw wrongSignature("is that of a signed_request, not of a delivery");

    const id = newId();
    return {
      id,
      runtime,
      region,
      coldStart,
      receivedAtMs,
      bodyBytes: body.byteLength,
      secretIndex,
      // Marked by us: no stranger can keep a captured delivery out of the figures.
      probe: await verifyInternal(
        settings.relaySecret,
        probePurpose,
        body,
        request.headers.get(probeHeader),
        receivedAtMs,
      ),
      traceparent: readTraceparent(request) ?? createTraceparent(id),
      events: await parseWebhook(body, { deliveryId: id }),
    };
  }

  /** Hands the forward to the platform; false if there is none that takes it, and only the request itself keeps it alive. */
  function keepAlive(settled: Promise<void>, deliveryLog: Log): boolean {
    try {
      options.waitUntil(settled);
      return true;
    } catch (thrown) {
      deliveryLog.error("delivery.wait_until_failed", describeCause(thrown));
      return false;
    }
  }

  /** Waits as long as the mode says; false only if the delivery must not be acknowledged. */
  async function mayAck(mode: AckMode, kept: Promise<boolean>, elapsedMs: () => number): Promise<boolean> {
    const within = (limitMs: number) => settleWithin(clock, Math.max(0, limitMs - elapsedMs()), kept);
    if (mode.kind === "immediate") return true;
    if (mode.kind === "race") {
      const known = await within(mode.limitMs);
      if (known !== undefined) return known;
      if (isKeeping) return true;
    }
    return (await within(durableLimitMs)) ?? false;
  }

  function refuseDelivery(deliveryLog: Log, thrown: unknown, headers: Record<string, string> = {}): Response {
    const reported = options.countRefusal(toRelayError(thrown).reason);
    if (reported !== undefined) keepAlive(reported, deliveryLog);
    return refuse(deliveryLog, "delivery.refused", thrown, headers);
  }

  function noteWhetherKept(kept: boolean): void {
    if (kept === isKeeping) return;
    isKeeping = kept;
    if (kept) log.info("acks.resumed", { runtime });
    else log.error("acks.withheld", { runtime });
  }

  return {
    async get(request) {
      try {
        const challenge = await verifyHandshake(request.url, options.readVerifyToken());
        log.info("handshake.accepted", { runtime });
        return new Response(challenge, { headers: textHeaders });
      } catch (thrown) {
        return refuse(log, "handshake.refused", thrown);
      }
    },

    async post(request) {
      const startedAt = clock.monotonicMs();
      const receivedAtMs = clock.nowMs();
      try {
        const settings = options.readSettings();
        const delivery = await receive(request, settings, receivedAtMs);
        const deliveryLog = log.with({ deliveryId: delivery.id });
        deliveryLog.info("delivery.received", { ...delivery, events: delivery.events.length });

        let tellAck: (ack: Ack) => void = () => {};
        const ack = new Promise<Ack>((resolve) => {
          tellAck = resolve;
        });
        const wanted = isKeeping ? settings.ackMode : durable;
        const forwarding = settings.forward(delivery, ack, wanted);
        void forwarding.kept.then(noteWhetherKept);
        const mode = keepAlive(forwarding.settled, deliveryLog) ? wanted : durable;
        const elapsedMs = () => clock.monotonicMs() - startedAt;
        const given = await mayAck(mode, forwarding.kept, elapsedMs);
        const ackMs = elapsedMs();
        tellAck({ ms: ackMs, given });

        const headers = { "x-delivery-id": delivery.id };
        if (given) {
          deliveryLog.info("delivery.acked", { ackMs, mode: mode.kind });
          return new Response("EVENT_RECEIVED", { headers: { ...textHeaders, ...headers } });
        }
        const notKept = new RelayError("NOT_KEPT", "The delivery is not kept yet; send it again");
        return refuseDelivery(deliveryLog, notKept, headers);
      } catch (thrown) {
        return refuseDelivery(log, thrown);
      }
    },

    refuseMethod() {
      return errorResponse(new RelayError("METHOD_NOT_ALLOWED", "Use GET or POST"), { allow: "GET, POST" });
    },
  };
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

const textHeaders = {
  "content-type": "text/plain; charset=utf-8",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

function wrongSignature(fault: string, reason?: string): RelayError {
  return new RelayError("SIGNATURE_INVALID", `X-Hub-Signature-256 ${fault}`, { reason });
}

/** It becomes a header of our own request: only what is well formed goes on. */
function readTraceparent(request: Request): string | null {
  const value = request.headers.get("traceparent");
  return value !== null && traceparentPattern.test(value) ? value : null;
}

/** A trace of the delivery's own, with the digits of its id, which is a UUID: nobody in front of us began one. */
function createTraceparent(deliveryId: string): string | null {
  const digits = deliveryId.replaceAll("-", "");
  const value = `00-${digits}-${digits.slice(16)}-01`;
  return traceparentPattern.test(value) ? value : null;
}

function refuse(
  log: Log,
  event: "handshake.refused" | "delivery.refused",
  thrown: unknown,
  headers: Record<string, string> = {},
): Response {
  const error = toRelayError(thrown);
  const level = error.status >= 500 ? "error" : "warn";
  log[level](event, { code: error.code, reason: error.message, ...(error.cause ? describeCause(error.cause) : {}) });
  return errorResponse(error, headers);
}
