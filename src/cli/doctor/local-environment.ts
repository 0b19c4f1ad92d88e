/** What the doctor examines from here: this machine's configuration, as the server it starts would have it. */
import type { EnvRecord } from "#platform/env.ts";

import type { Running } from "#local/running-file.ts";
import type { SecretName, Secrets } from "#local/secrets.ts";
import { baseUrlOf, brokerHost, type Settings, valueOf } from "#local/settings.ts";
import { planStart } from "#local/start-environment.ts";

export interface LocalStart {
  settings: Settings;
  /** Null if there has been no start with the data folder. */
  secrets: Partial<Secrets> | null;
  /** Null if none is running on it. */
  running: Running | null;
}

export interface LocalEnvironment {
  env: EnvRecord;
  /** The variables that come from the start on this machine. */
  fromStart: string[];
  startRuns: boolean;
}

const ofStart: SecretName[] = ["INSTAGRAM_APP_SECRET", "INSTAGRAM_VERIFY_TOKEN", "RELAY_SECRET", "OPS_TOKEN"];
const ofItsQstash: SecretName[] = ["QSTASH_TOKEN", "QSTASH_CURRENT_SIGNING_KEY", "QSTASH_NEXT_SIGNING_KEY"];

/**
 * The environment, each gap filled with what the start on this machine has generated, if there was one. The keys of its
 * QStash are not used for the real one: they would turn "is not set" into a puzzling 401.
 */
export function localEnvironment(env: EnvRecord, { settings, secrets, running }: LocalStart): LocalEnvironment {
  if (secrets === null) return { env, fromStart: [], startRuns: false };
  const ownQstash = baseUrlOf(brokerHost, settings.qstashPort);
  const qstashUrl = running?.qstashUrl ?? (planStart(env, settings).needsBroker ? ownQstash : undefined);
  // The real one is never without TLS.
  const usesOwnQstash = !valueOf(env, "QSTASH_URL") && qstashUrl?.startsWith("http://") === true;
  const names = [...ofStart, ...(usesOwnQstash ? ofItsQstash : [])];
  const candidates: Record<string, string | undefined> = {
    ...Object.fromEntries(names.map((name) => [name, secrets[name]])),
    RELAY_URL: running?.baseUrl ?? baseUrlOf(settings.host, settings.port),
    ...(usesOwnQstash ? { QSTASH_URL: qstashUrl } : {}),
    // Its Postgres has another port at every start.
    DATABASE_URL: running?.databaseUrl,
  };
  const gaps = Object.entries(candidates).filter(([name, value]) => value !== undefined && !valueOf(env, name));
  const fromStart = gaps.map(([name]) => name);
  return { env: { ...env, ...Object.fromEntries(gaps) }, fromStart, startRuns: running !== null };
}
