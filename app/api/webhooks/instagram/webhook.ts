// Builds the webhook's adapters from the environment; both routes, edge and Node, are this.
import { waitUntil } from "@vercel/functions";

import type { Forward, WebhookSettings } from "#instagram/webhook-handler.ts";
import { createWebhookHandler } from "#instagram/webhook-handler.ts";
import { systemClock } from "#platform/clock.ts";
import { type Env, readEnv, webhookVariables } from "#platform/env.ts";
import { createLog, writeToConsole } from "#platform/log.ts";
import { createFallbackPublisher } from "#queue/fallback-publisher.ts";
import { forwardToInternalIngestion } from "#queue/forward.ts";
import { createQstashPublisher } from "#queue/qstash-publisher.ts";
import { createReporter, type Reporter } from "#measurements/reporter.ts";

// Inlined by the build of each route.
const runtime = process.env.NEXT_RUNTIME === "edge" ? "edge" : "nodejs";
const clock = systemClock;
const log = createLog({ clock, write: writeToConsole });

/** Publishing may take so long when the ack waits for it: Meta's five seconds have to hold the fallback as well. */
const awaitedPublishMsMax = 2_000;

type WebhookEnv = Pick<Env, (typeof webhookVariables)[number]>;

export function createWebhookRoutes() {
  let settings: WebhookSettings | undefined;
  const readCall = () => callOfReports(readEnv(process.env, reportVariables));
  const reporter = createReporter({ runtime, readCall, random: Math.random, clock, log });
  const handler = createWebhookHandler({
    runtime,
    region: process.env["VERCEL_REGION"] ?? null,
    clock,
    log,
    newId: () => crypto.randomUUID(),
    waitUntil,
    readVerifyToken: () => readEnv(process.env, ["INSTAGRAM_VERIFY_TOKEN"]).INSTAGRAM_VERIFY_TOKEN,
    readSettings: () => (settings ??= createSettings(readEnv(process.env, webhookVariables), reporter)),
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

function createSettings(env: WebhookEnv, reporter: Reporter): WebhookSettings {
  return {
    appSecrets: env.INSTAGRAM_APP_SECRET,
    relaySecret: env.RELAY_SECRET,
    ackMode: env.ACK_MODE,
    bodyBytesMax: env.WEBHOOK_BODY_BYTES_MAX,
    forward: createForward(env, reporter),
  };
}

/** Refusals are reported also where other variables are missing: those are a reason for them. */
const reportVariables = ["RELAY_URL", "RELAY_SECRET", "VERCEL_AUTOMATION_BYPASS_SECRET"] as const;

function callOfReports(env: Pick<Env, (typeof reportVariables)[number]>) {
  return {
    relayUrl: env.RELAY_URL[0] ?? "",
    path: "/api/internal/reports",
    secret: env.RELAY_SECRET,
    bypassSecret: env.VERCEL_AUTOMATION_BYPASS_SECRET,
    fetch,
    clock,
  };
}

function createForward(env: WebhookEnv, reporter: Reporter): Forward {
  const startedAt = clock.monotonicMs();
  log.info("publisher.create_started");
  const call = callOfReports(env);
  const { relayUrl, bypassSecret } = call;
  const publisher = createQstashPublisher({
    url: env.QSTASH_URL,
    token: env.QSTASH_TOKEN,
    destination: `${relayUrl}/api/qstash/instagram-ingestion`,
    failureCallback: `${relayUrl}/api/qstash/instagram-failure`,
    retries: env.QSTASH_RETRIES,
    bypassSecret,
    fetch,
    clock,
  });
  const fallback = createFallbackPublisher({ ...call, path: "/api/internal/fallback-ingestion" });
  const queue = { isTaking: true };
  log.info("publisher.created", { durationMs: clock.monotonicMs() - startedAt });

  return ({ events, traceparent, secretIndex, ...delivery }, ack, mode) => {
    const { kept, result } = forwardToInternalIngestion(events, {
      delivery: { ...delivery, secretIndex },
      traceparent,
      acked: ack.then(({ given }) => given),
      publisher,
      timeoutMs: env.PUBLISH_TIMEOUT_MS,
      retries: env.PUBLISH_RETRIES,
      queue,
      budgetMs: Math.min(env.PUBLISH_BUDGET_MS, mode.kind === "durable" ? awaitedPublishMsMax : Infinity),
      fallback,
      fallbackBudgetMs: env.FALLBACK_BUDGET_MS,
      clock,
      random: Math.random,
      log: log.with({ deliveryId: delivery.id }),
    });
    const settled = result.then(async ({ durationMs, ...forwarded }) => {
      const { id: deliveryId, ...facts } = delivery;
      const { ms, given } = await ack;
      const ackMs = given ? ms : null;
      const measured = { events: events.length, ackMs, publishMs: durationMs, ...forwarded };
      await reporter.report({ deliveryId, ...facts, ...measured }, env.REPORT_SAMPLE_RATE);
    });
    return { kept, settled };
  };
}
