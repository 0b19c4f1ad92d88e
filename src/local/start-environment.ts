/** From the settings, the secrets and what is already set: the variables the server gets, and which servers that takes. */
import type { EnvRecord } from "#platform/env.ts";

import type { SecretName, Secrets } from "./secrets.ts";
import { baseUrlOf, brokerHost, type Settings, valueOf } from "./settings.ts";

export interface StartPlan {
  /** `false` when the environment names the real QStash. */
  needsBroker: boolean;
  /** `false` when neither the application nor the broker would use the embedded one. */
  needsPostgres: boolean;
  baseUrl: string;
  /** Of the broker, if one is needed. */
  brokerUrl: string;
}

export function planStart(env: EnvRecord, settings: Settings): StartPlan {
  const needsBroker = !valueOf(env, "QSTASH_URL") && !valueOf(env, "QSTASH_TOKEN");
  return {
    needsBroker,
    needsPostgres: needsBroker || !valueOf(env, "DATABASE_URL"),
    baseUrl: baseUrlOf(settings.host, settings.port),
    brokerUrl: baseUrlOf(brokerHost, settings.qstashPort),
  };
}

const always: SecretName[] = [
  "INSTAGRAM_APP_SECRET",
  "INSTAGRAM_VERIFY_TOKEN",
  "RELAY_SECRET",
  "OPS_TOKEN",
  "CRON_SECRET",
];
const ofBroker: SecretName[] = ["QSTASH_TOKEN", "QSTASH_CURRENT_SIGNING_KEY", "QSTASH_NEXT_SIGNING_KEY"];

/**
 * The environment with every gap filled that this machine can fill. Keys for the real QStash are not among them: only
 * Upstash knows those, and made-up ones would turn "is not set" into a puzzling 401.
 */
export function completeEnvironment(env: EnvRecord, plan: StartPlan, secrets: Secrets): Record<string, string> {
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const complete: Record<string, string> = Object.fromEntries(given);
  for (const name of [...always, ...(plan.needsBroker ? ofBroker : [])]) {
    if (!valueOf(env, name)) complete[name] = secrets[name];
  }
  if (!valueOf(env, "RELAY_URL")) complete["RELAY_URL"] = plan.baseUrl;
  if (plan.needsBroker) complete["QSTASH_URL"] = plan.brokerUrl;
  return complete;
}
