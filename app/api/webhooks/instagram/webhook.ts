// Builds the webhook's adapters from the environment; both routes, edge and Node, are this.
import { waitUntil } from "@vercel/functions";

import type { Forward, WebhookSettings } from "#instagram/webhook-handler.ts";
import { createWebhookHandler } from "#instagram/webhook-handler.ts";
import { systemClock } from "#platform/clock.ts";
import { type Env, readEnv } from "#platform/env.ts";
import { createLog, writeToConsole } from "#platform/log.ts";
import { forwardToInternalIngestion } from "#queue/forward.ts";
import { createQstashPublisher } from "#queue/qstash-publisher.ts";
import { createDeliveryReporter } from "#telemetry/delivery-reporter.ts";

const clock = systemClock;
const log = createLog({ clock, write: writeToConsole });

/** Everything the webhook needs for a delivery, its publishing included: a gap is told before anything is acknowledged. */
const variables = [
  "INSTAGRAM_APP_SECRET",
  "QSTASH_TOKEN",
  "QSTASH_URL",
  "RELAY_URL",
  "RELAY_SECRET",
  "ACK_MODE",
  "PUBLISH_TIMEOUT_MS",
  "PUBLISH_RETRIES",
  "PUBLISH_BUDGET_MS",
  "REPORT_SAMPLE_RATE",
  "QSTASH_RETRIES",
  "WEBHOOK_BODY_BYTES_MAX",
  "VERCEL_AUTOMATION_BYPASS_SECRET",
] as const;

type WebhookEnv = Pick<Env, (typeof variables)[number]>;

export function createWebhookRoutes() {
  let settings: WebhookSettings | undefined;
  const handler = createWebhookHandler({
    // Inlined by the build of each route.
    runtime: process.env.NEXT_RUNTIME === "edge" ? "edge" : "nodejs",
    region: process.env["VERCEL_REGION"] ?? null,
    clock,
    log,
    newId: () => crypto.randomUUID(),
    waitUntil,
    readVerifyToken: () => readEnv(process.env, ["INSTAGRAM_VERIFY_TOKEN"]).INSTAGRAM_VERIFY_TOKEN,
    readSettings: () => (settings ??= createSettings(readEnv(process.env, variables))),
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

function createSettings(env: WebhookEnv): WebhookSettings {
  return {
    appSecrets: env.INSTAGRAM_APP_SECRET,
    ackMode: env.ACK_MODE,
    bodyBytesMax: env.WEBHOOK_BODY_BYTES_MAX,
    forward: createForward(env),
  };
}

function createForward(env: WebhookEnv): Forward {
  const relayUrl = env.RELAY_URL[0] ?? "";
  const bypassSecret = env.VERCEL_AUTOMATION_BYPASS_SECRET;
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
  const report = createDeliveryReporter({
    url: `${relayUrl}/api/internal/reports`,
    secret: env.RELAY_SECRET,
    sampleRate: env.REPORT_SAMPLE_RATE,
    bypassSecret,
    fetch,
    clock,
    random: Math.random,
    log,
  });
  return ({ events, traceparent, ...delivery }, ack) => {
    const result = forwardToInternalIngestion(events, {
      delivery,
      traceparent,
      acksFirst: env.ACK_MODE.kind !== "durable",
      publisher,
      timeoutMs: env.PUBLISH_TIMEOUT_MS,
      retries: env.PUBLISH_RETRIES,
      budgetMs: env.PUBLISH_BUDGET_MS,
      clock,
      random: Math.random,
      log: log.with({ deliveryId: delivery.id }),
    });
    return {
      kept: result.then(({ outcome }) => outcome === "published"),
      settled: result.then(async (settled) =>
        report({ ...delivery, ...settled, events: events.length, ackMs: (await ack).ms }),
      ),
    };
  };
}
