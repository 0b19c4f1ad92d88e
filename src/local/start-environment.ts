/** Which servers a start needs, and the environment that the web server gets. */
import type { EnvRecord } from "#platform/env.ts";

import type { SecretName, Secrets } from "./secrets.ts";
import { baseUrlOf, brokerHost, type Settings, valueOf } from "./settings.ts";

export interface StartPlan {
  /** As QUEUE names it. */
  queueName: string;
  /** `false` when the environment names the real QStash, or another queue. */
  needsBroker: boolean;
  /** With a queue that has no schedule, the start itself calls the drain and maintenance. */
  needsTimers: boolean;
  /** `false` when neither the application nor the broker would use the embedded one. */
  needsPostgres: boolean;
  /** Where this machine reaches the server. */
  baseUrl: string;
  /** The address of the broker, if one is needed. */
  brokerUrl: string;
}

/** Decides from the environment alone; starts nothing. */
export function planStart(env: EnvRecord, settings: Settings): StartPlan {
  const queueName = valueOf(env, "QUEUE") ?? "qstash";
  const needsTimers = queueName !== "qstash";
  const needsBroker = !needsTimers && !valueOf(env, "QSTASH_URL") && !valueOf(env, "QSTASH_TOKEN");
  return {
    queueName,
    needsBroker,
    needsTimers,
    needsPostgres: needsBroker || !valueOf(env, "DATABASE_URL"),
    baseUrl: baseUrlOf(settings.host, settings.port),
    brokerUrl: baseUrlOf(brokerHost, settings.qstashPort),
  };
}

const relaySecrets: SecretName[] = ["INSTAGRAM_APP_SECRET", "INSTAGRAM_VERIFY_TOKEN", "RELAY_SECRET", "OPS_TOKEN"];
/** For the start's own calls of maintenance. */
const timerSecrets: SecretName[] = ["CRON_SECRET"];
const brokerSecrets: SecretName[] = ["QSTASH_TOKEN", "QSTASH_CURRENT_SIGNING_KEY", "QSTASH_NEXT_SIGNING_KEY"];

/**
 * The variables that a start fills with generated secrets. Keys of the real QStash are not generated: only Upstash knows
 * them, and invented ones would turn "is not set" into a 401 that is hard to explain.
 */
export function generatedVariables({
  needsBroker,
  needsTimers,
}: Pick<StartPlan, "needsBroker" | "needsTimers">): SecretName[] {
  return [...relaySecrets, ...(needsBroker ? brokerSecrets : []), ...(needsTimers ? timerSecrets : [])];
}

/** The environment with every variable filled in that is absent or blank and that this machine can provide. */
export function completeEnvironment(env: EnvRecord, plan: StartPlan, secrets: Secrets): Record<string, string> {
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const complete: Record<string, string> = Object.fromEntries(given);
  for (const name of generatedVariables(plan)) {
    if (!valueOf(env, name)) complete[name] = secrets[name];
  }
  if (!valueOf(env, "RELAY_URL")) complete["RELAY_URL"] = plan.baseUrl;
  if (plan.needsBroker) complete["QSTASH_URL"] = plan.brokerUrl;
  return complete;
}
