import type { EnvRecord } from "#platform/env.ts";

import type { Running } from "./running-file.ts";
import type { Secrets } from "./secrets.ts";
import { baseUrlOf, brokerHost, type Settings, valueOf } from "./settings.ts";
import { generatedVariables, planStart } from "./start-environment.ts";

export interface LocalStart {
  settings: Settings;
  /** Null if no start has used the data folder. */
  secrets: Partial<Secrets> | null;
  /** Null if no start is running on it. */
  running: Running | null;
}

export interface LocalEnvironment {
  env: EnvRecord;
  /** The variables that come from the start on this machine. */
  fromStart: string[];
  startRuns: boolean;
}

/**
 * The environment as the server of `npm start` has it: what is absent or blank is filled with what a start on this machine
 * has generated, if there was one. The keys of its QStash are used only for that QStash.
 */
export function localEnvironment(env: EnvRecord, { settings, secrets, running }: LocalStart): LocalEnvironment {
  if (secrets === null) return { env, fromStart: [], startRuns: false };
  const ownQstash = baseUrlOf(brokerHost, settings.qstashPort);
  const queueName = valueOf(env, "QUEUE") ?? running?.queueName;
  const { needsBroker, needsTimers } = planStart({ ...env, QUEUE: queueName }, settings);
  const qstashUrl = running?.qstashUrl ?? (needsBroker ? ownQstash : undefined);
  // The real QStash always has TLS.
  const usesOwnQstash = !valueOf(env, "QSTASH_URL") && qstashUrl?.startsWith("http://") === true;
  const names = generatedVariables({ needsBroker: usesOwnQstash, needsTimers });
  const candidates: Record<string, string | undefined> = {
    ...Object.fromEntries(names.map((name) => [name, secrets[name]])),
    QUEUE: queueName,
    RELAY_URL: running?.baseUrl ?? baseUrlOf(settings.host, settings.port),
    ...(usesOwnQstash ? { QSTASH_URL: qstashUrl } : {}),
    // Only of a running start: its Postgres has another port each time.
    DATABASE_URL: running?.databaseUrl,
  };
  const gaps = Object.entries(candidates).filter(([name, value]) => value !== undefined && !valueOf(env, name));
  const fromStart = gaps.map(([name]) => name);
  return { env: { ...env, ...Object.fromEntries(gaps) }, fromStart, startRuns: running !== null };
}
