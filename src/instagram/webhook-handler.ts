import type { Clock } from "#platform/clock.ts";
import type { Forwarding, ForwardResult, Runtime } from "#platform/delivery.ts";
import { errorResponse, RelayError, toRelayError } from "#platform/errors.ts";
import { verifyInternal } from "#platform/internal-signature.ts";
import { describeCause, type Log } from "#platform/log.ts";
import { canaryPurpose, forgeryPurpose, probeHeader, probePurpose } from "#platform/probe-mark.ts";
import { checkAnnounced, readBody } from "#platform/read-body.ts";
import { refuse } from "#platform/refuse.ts";
import { traceparentOf } from "#platform/traceparent.ts";

import { type AckPlan, createAckPolicy, durable } from "./ack-policy.ts";
import { verifyHandshake } from "./handshake.ts";
import { isSignedRequest } from "./is-signed-request.ts";
import type { ReceivedDelivery } from "./received-delivery.ts";
import { isSignature, type SignatureVerifier } from "./signature.ts";
import { parseWebhook } from "./webhook-parser.ts";

/** `Result`: what a forward says of itself, which only `report` reads. */
export interface WebhookSettings<Result = ForwardResult> {
  /** A delivery is genuine if one of the app secrets signed it. */
  verify: SignatureVerifier["verify"];
  /** `RELAY_SECRET`, which marks probes; null where there are none. */
  relaySecret: string | null;
  bodyBytesMax: number;
  /** What acks wait for while deliveries are being kept. */
  ack: AckPlan;
  /** Starts to forward a delivery, which publishes for at most `publishBudgetMs` before it falls back. */
  forward: (delivery: ReceivedDelivery, publishBudgetMs: number) => Forwarding<Result>;
  /**
   * Reports what became of a delivery once its forward has ended. `ackMs`: from handler entry to the response, on a
   * monotonic clock; null if that was no ack. The promise is bounded in time and never rejects.
   */
  report: (delivery: ReceivedDelivery, forwarded: Promise<Result>, ackMs: number | null) => Promise<void>;
}

export interface WebhookHandlerOptions<Result = ForwardResult> {
  runtime: Runtime;
  region: string | null;
  deployment: string | null;
  clock: Clock;
  log: Log;
  /** Makes a delivery's id; its time is `receivedAtMs`. */
  newId: (receivedAtMs: number) => string;
  /** Keeps the invocation alive until the promise settles; throws if the platform cannot. */
  waitUntil: (promise: Promise<unknown>) => void;
  /** Throws `ENV_INVALID` if there is none. */
  readVerifyToken: () => string;
  /** Called for each delivery, before anything is acknowledged; throws `ENV_INVALID` if something is missing. */
  readSettings: () => WebhookSettings<Result>;
  /** Counts a refusal; what it returns, the report of many, is bounded in time and never rejects. */
  countRefusal: (reason: string) => Promise<void> | undefined;
}

export interface WebhookHandler {
  /** Answers Meta's handshake. Never rejects. */
  get(request: Request): Promise<Response>;
  /** Answers a delivery. Never rejects. */
  post(request: Request): Promise<Response>;
  /** Answers any other method: 405 with `Allow`, which Next leaves out. */
  refuseMethod(): Response;
}

/** The time limit for a body. Longer than Meta's five seconds: a slow sender then gets 408 instead of a cut connection. */
const bodyTimeoutMs = 10_000;

/** The webhook, the same on every runtime: GET handshake, POST deliveries. */
export function createWebhookHandler<Result = ForwardResult>(options: WebhookHandlerOptions<Result>): WebhookHandler {
  const { clock, log, runtime, region, deployment } = options;
  const policy = createAckPolicy({ runtime, clock, log });
  let isFirst = true;
  /** False after the platform refused a forward: then publishing must leave time for the fallback before the ack. */
  let isHeld = true;

  /** False if the platform does not take it: then only the request keeps it alive. */
  function keepAlive(promise: Promise<unknown>, deliveryLog: Log): boolean {
    try {
      options.waitUntil(promise);
      return true;
    } catch (thrown) {
      deliveryLog.error("delivery.wait_until_failed", describeCause(thrown));
      return false;
    }
  }

  function refuseDelivery(deliveryLog: Log, thrown: unknown, headers: Record<string, string> = {}): Response {
    const reported = options.countRefusal(toRelayError(thrown).reason);
    if (reported !== undefined) keepAlive(reported, deliveryLog);
    return refuse(deliveryLog, "delivery.refused", thrown, { headers });
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
      const elapsedMs = () => clock.monotonicMs() - startedAt;
      const receivedAtMs = clock.nowMs();
      try {
        const settings = options.readSettings();
        const { bodyBytesMax, relaySecret } = settings;
        const coldStart = isFirst;
        isFirst = false;

        checkAnnounced(request, bodyBytesMax);
        const signature = request.headers.get("x-hub-signature-256");
        // Before the body is read: an unsigned one costs no memory.
        if (!isSignature(signature))
          throw wrongSignature("must be sent once, as sha256= and 64 hex digits", "SIGNATURE_MISSING");
        const body = await readBody(request, { bytesMax: bodyBytesMax, timeoutMs: bodyTimeoutMs, clock });
        const secretIndex = await settings.verify(body, signature);
        // Only a mark that we signed counts: a stranger could mark a captured delivery and keep it out of the figures.
        const mark = request.headers.get(probeHeader);
        const isMarked = (purpose: string) =>
          mark !== null && relaySecret !== null && verifyInternal(relaySecret, purpose, body, mark, receivedAtMs);
        if (secretIndex === null) {
          const forged = wrongSignature("does not match the body under any configured app secret");
          // The doctor's own: counted, it would look as if Meta's deliveries were refused.
          if (await isMarked(forgeryPurpose)) return refuse(log, "delivery.refused", forged);
          throw forged;
        }
        if (isSignedRequest(body)) throw wrongSignature("is that of a signed_request, not of a delivery");

        const id = options.newId(receivedAtMs);
        const deliveryLog = log.with({ deliveryId: id });
        const plan = policy.plan(isHeld ? settings.ack : { ...settings.ack, mode: durable });
        const isCanary = await isMarked(canaryPurpose);
        const probe = isCanary || (await isMarked(probePurpose));
        const delivery: ReceivedDelivery = {
          id,
          runtime,
          region,
          deployment,
          coldStart,
          receivedAtMs,
          bodyBytes: body.byteLength,
          secretIndex,
          probe,
          traceparent: traceparentOf(request, id),
          events: await parseWebhook(body, {
            deliveryId: id,
            onFailure: (thrown) => deliveryLog.error("delivery.parse_failed", describeCause(thrown)),
          }),
          // Measured after the parsing. Encoding and the first request still come before the response.
          ackMs: plan.mode.kind === "immediate" ? elapsedMs() : null,
        };
        deliveryLog.debug("delivery.received", { ...delivery, events: delivery.events.length });
        const headers: Record<string, string> = { "x-delivery-id": id };
        const acknowledge = () => {
          // Read by send-probe.ts.
          if (probe)
            headers["server-timing"] =
              `handler;dur=${elapsedMs()};desc="${[region, deployment, coldStart, runtime].join()}"`;
          return new Response("EVENT_RECEIVED", { headers: { ...textHeaders, ...headers } });
        };
        if (probe && !isCanary) return acknowledge();

        const { kept, result } = settings.forward(delivery, plan.publishBudgetMs);
        isHeld = keepAlive(result, deliveryLog);
        const mode = isHeld ? plan.mode : durable;
        const isAcked = await policy.mayAck(mode, kept, elapsedMs);
        const ackMs = mode.kind === "immediate" ? delivery.ackMs : elapsedMs();
        const reported = settings.report(delivery, result, isAcked ? ackMs : null);
        // A platform that did not take the forward does not take its report either.
        if (isHeld) keepAlive(reported, deliveryLog);

        if (!isAcked) return refuseDelivery(deliveryLog, notKept(), headers);
        deliveryLog.debug("delivery.acked", { ackMs, mode: mode.kind });
        return acknowledge();
      } catch (thrown) {
        return refuseDelivery(log, thrown);
      }
    },

    refuseMethod() {
      return errorResponse(new RelayError("METHOD_NOT_ALLOWED", "Use GET or POST"), { allow: "GET, POST" });
    },
  };
}

const textHeaders = {
  "content-type": "text/plain; charset=utf-8",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

function wrongSignature(fault: string, reason?: string): RelayError {
  return new RelayError("SIGNATURE_INVALID", `X-Hub-Signature-256 ${fault}`, { reason });
}

function notKept(): RelayError {
  return new RelayError("NOT_KEPT", "The delivery is not kept yet; send it again");
}
