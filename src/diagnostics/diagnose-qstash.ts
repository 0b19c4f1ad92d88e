import type { Clock } from "#platform/clock.ts";
import { type Env, type EnvRecord, readEnv } from "#platform/env.ts";
import { RelayError, toRelayError } from "#platform/errors.ts";
import { parseJsonObject } from "#platform/parse-json.ts";

import { type Check, createDiagnosis, type Diagnosis, roundMs } from "./check.ts";
import { explainNoAnswer, explainRefusal } from "./explain-refusal.ts";
import { cancelMessages, followDelivery } from "./follow-delivery.ts";
import { judgeDelivery } from "./judge-delivery.ts";
import { judgeSigningKeys } from "./judge-signing-keys.ts";
import { publishByHttp, publishBySdk, type PublishResult } from "./publish-diagnostic.ts";
import { createQstashApi, isSuccess, type QstashApi } from "#platform/qstash-api.ts";

/** The checks, and the two publishes in detail. */
export interface QstashDiagnosis extends Diagnosis {
  /** The same message, published by the SDK and by a plain HTTP request, one after the other on an open connection. */
  sdk: PublishResult;
  http: PublishResult;
}

export interface DiagnoseQstashOptions {
  env: EnvRecord;
  clock: Clock;
  /** For the plain requests; the SDK uses the global `fetch`. */
  fetch: typeof fetch;
}

const needed = [
  "QSTASH_URL",
  "QSTASH_TOKEN",
  "RELAY_URL",
  "QSTASH_RETRIES",
  "PUBLISH_TIMEOUT_MS",
  "VERCEL_AUTOMATION_BYPASS_SECRET",
] as const;
const requestLimitMs = 4_000;
const followLimitMs = 8_000;
const notTried: PublishResult = { ok: false, durationMs: null, status: null, messageId: null, error: null };

/**
 * Checks whether QStash accepts the token and a message, and whether it can deliver the message: publishes twice a message
 * that only asks the relay for its health, and reads in QStash's log how the delivery ended. Ends within 30 s and never
 * rejects. Nothing is ingested, and only lines in that log remain: a message that could not be delivered is cancelled
 * before its first retry.
 */
export async function diagnoseQstash(options: DiagnoseQstashOptions): Promise<QstashDiagnosis> {
  const { env, clock } = options;
  const settings = readSettings(env);
  if (settings instanceof RelayError) return withoutSettings(settings);
  const { QSTASH_URL: url, QSTASH_TOKEN: token, VERCEL_AUTOMATION_BYPASS_SECRET: bypassSecret } = settings;
  const relayUrl = settings.RELAY_URL[0] ?? "";
  const timeoutMs = Math.min(settings.PUBLISH_TIMEOUT_MS, requestLimitMs);
  const api = createQstashApi({ ...options, url, token, timeoutMs });
  const values = [relayUrl, new URL(relayUrl).host, token, bypassSecret ?? ""];

  // First, so that both publishes find an open connection.
  const keys = await askForKeys(api, clock, values);
  const context = { canRead: keys.json !== null, values };
  const retries = Math.max(1, settings.QSTASH_RETRIES);
  const message = { destination: `${relayUrl}/api/health`, retries, bypassSecret };
  const sdk = await publishBySdk(message, { ...context, url, token, timeoutMs, clock });
  const http = await publishByHttp(message, { ...context, api, clock });
  const checks = [
    keys.check,
    checkSigningKeys(env, keys.json),
    toCheck("Publish by the SDK", sdk),
    toCheck("Publish by direct HTTP", http),
    await checkDelivery([sdk, http], api, clock),
  ];
  return { ...createDiagnosis(checks), sdk, http };
}

type Settings = Pick<Env, (typeof needed)[number]>;

function readSettings(env: EnvRecord): Settings | RelayError {
  try {
    return readEnv(env, needed);
  } catch (thrown) {
    return toRelayError(thrown);
  }
}

function withoutSettings({ message }: RelayError): QstashDiagnosis {
  const remedy = "Set what is missing; the checks of the environment say more.";
  const check: Check = { name: "Settings", status: "failed", detail: "incomplete", cause: `${message}.`, remedy };
  return { ...createDiagnosis([check]), sdk: notTried, http: notTried };
}

/** Checks the token by asking QStash for its signing keys; `json` is its answer, null if the token was not accepted. */
async function askForKeys(
  api: QstashApi,
  clock: Clock,
  values: readonly string[],
): Promise<{ check: Check; json: string | null }> {
  const name = "Token";
  const startedAt = clock.monotonicMs();
  const elapsed = () => roundMs(clock.monotonicMs() - startedAt);
  try {
    const { status, text } = await api("GET", "/v2/keys");
    if (isSuccess(status) && typeof parseJsonObject(text)["current"] === "string") {
      return { check: { name, status: "ok", detail: "accepted", durationMs: elapsed() }, json: text };
    }
    const { cause, remedy } = explainRefusal(status, text, { canRead: false, values });
    return {
      check: { name, status: "failed", detail: `answered ${status}`, durationMs: elapsed(), cause, remedy },
      json: null,
    };
  } catch (error) {
    const { type, cause, remedy } = explainNoAnswer(error);
    const detail = type === "PUBLISH_TIMEOUT" ? "no answer" : "not reached";
    return { check: { name, status: "failed", detail, durationMs: elapsed(), cause, remedy }, json: null };
  }
}

function checkSigningKeys(env: EnvRecord, keysJson: string | null): Check {
  const name = "Signing keys";
  if (keysJson === null) return { name, status: "skipped", detail: "QStash did not answer which keys are right" };
  return { name, ...judgeSigningKeys(env, keysJson) };
}

function toCheck(name: string, { durationMs, error }: PublishResult): Check {
  const duration = durationMs === null ? {} : { durationMs };
  if (error === null) return { name, status: "ok", detail: "accepted", ...duration };
  const { type, cause, remedy } = error;
  return { name, status: "failed", detail: type, ...duration, cause, remedy };
}

async function checkDelivery(published: readonly PublishResult[], api: QstashApi, clock: Clock): Promise<Check> {
  const name = "Delivery to RELAY_URL";
  const messageIds = published.flatMap(({ messageId }) => messageId ?? []);
  if (messageIds.length === 0) return { name, status: "skipped", detail: "nothing was published" };
  const startedAt = clock.monotonicMs();
  const delivery = await followDelivery(messageIds, { api, clock, limitMs: followLimitMs });
  const { status, detail, ...advice } = judgeDelivery(delivery);
  const durationMs = roundMs(clock.monotonicMs() - startedAt);
  if (delivery.state !== "delivered") await cancelMessages(messageIds, api);
  return { name, status, detail, durationMs, ...advice };
}
