// Builds the webhook's adapters from the environment, for both of its routes.
import { createSignatureVerifier } from "#instagram/signature.ts";
import { createWebhookHandler, type WebhookSettings } from "#instagram/webhook-handler.ts";
import { reportForward } from "#measurements/report-forward.ts";
import { createReporter, type Reporter } from "#measurements/reporter.ts";
import { readPlace } from "#platform/delivery.ts";
import { createDeliveryId } from "#platform/delivery-id.ts";
import { waitUntil } from "@vercel/functions";
import type { InternalCallOptions } from "#platform/post-internal.ts";
import { readDeliveryEnv, readForwardEnv, readVerifyToken } from "#platform/webhook-env.ts";
import { createFallbackPublisher } from "#queue/fallback-publisher.ts";
import { createForward } from "#queue/forward.ts";
import { queue } from "#queue-publisher";

import { clock, log } from "../../../log.ts";

interface WebhookOptions {
  createVerifier?: typeof createSignatureVerifier;
  fetch?: typeof globalThis.fetch;
}

/**
 * The webhook's answers by method, for the runtime the build names. `fetch` is read as the module loads: instrumentation.ts
 * has run by then, and an edge function's first request has not yet put Next's data cache before it. A publish has nothing
 * to cache, and there the cache takes one fortieth of a delivery's CPU time.
 */
export function createWebhookRoutes({
  createVerifier = createSignatureVerifier,
  fetch = globalThis.fetch,
}: WebhookOptions = {}) {
  let settings: WebhookSettings | undefined;
  const place = readPlace(process.env.NEXT_RUNTIME, process.env);
  let target: ReturnType<typeof readInternalTarget> | undefined;
  const readCall = (path: string) => ({ ...(target ??= readInternalTarget()), path, fetch, clock });
  const reporter = createReporter({
    runtime: place.runtime,
    readCall: () => readCall("/api/internal/reports"),
    random: Math.random,
    clock,
    log,
  });
  const handler = createWebhookHandler({
    ...place,
    clock,
    log,
    newId: (receivedAtMs) => createDeliveryId(receivedAtMs, crypto.randomUUID()),
    waitUntil,
    readVerifyToken: () => readVerifyToken(process.env),
    readSettings: () => (settings ??= createSettings(reporter, createVerifier, readCall)),
    countRefusal: reporter.countRefusal,
  });
  const refuse = () => handler.refuseMethod();
  return {
    GET: handler.get,
    POST: handler.post,
    HEAD: refuse,
    OPTIONS: refuse,
    PUT: refuse,
    PATCH: refuse,
    DELETE: refuse,
  };
}

function createSettings(
  reporter: Reporter,
  createVerifier: typeof createSignatureVerifier,
  readCall: (path: string) => InternalCallOptions,
): WebhookSettings {
  const env = readForwardEnv(process.env, queue.variables);
  const forward = createForward({
    publisher: queue.create(env, readCall),
    timeoutMs: env.PUBLISH_TIMEOUT_MS,
    retries: env.PUBLISH_RETRIES,
    fallback: createFallbackPublisher(readCall("/api/internal/fallback-ingestion")),
    fallbackBudgetMs: env.FALLBACK_BUDGET_MS,
    clock,
    random: Math.random,
    log,
  });
  return {
    verify: createVerifier(env.INSTAGRAM_APP_SECRET).verify,
    relaySecret: env.RELAY_SECRET[0],
    ack: { mode: env.ACK_MODE, publishBudgetMs: env.PUBLISH_BUDGET_MS },
    bodyBytesMax: env.WEBHOOK_BODY_BYTES_MAX,
    forward,
    report: (delivery, forwarded, ackMs) =>
      reportForward(delivery, forwarded, ackMs, { reporter, sampleRate: env.REPORT_SAMPLE_RATE, log }),
  };
}

/** Refusals are reported also where other variables are missing: those are a reason for them. */
function readInternalTarget() {
  const env = readDeliveryEnv(process.env, "RELAY_URL", "RELAY_SECRET", "VERCEL_AUTOMATION_BYPASS_SECRET");
  const [relayUrl] = env.RELAY_URL;
  return { relayUrl, secret: env.RELAY_SECRET[0], bypassSecret: env.VERCEL_AUTOMATION_BYPASS_SECRET };
}
