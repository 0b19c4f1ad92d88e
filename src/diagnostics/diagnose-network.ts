import type { Clock } from "#platform/clock.ts";
import { type Env, type EnvName, type EnvRecord, readEnv } from "#platform/env.ts";
import type { QueueName } from "#platform/queue-name.ts";
import { protectionBypass } from "#platform/protection-bypass.ts";

import { type Check, createDiagnosis, type Diagnosis, type Finding } from "./check.ts";
import { createConnection } from "./connection-steps.ts";
import type { HttpAnswer } from "./deployment-protection.ts";
import { explainNetwork } from "./explain-network.ts";
import { hostOf } from "./hosts.ts";
import { judgeHealth } from "./judge-health.ts";
import { createPostgresSteps, type FindStoreFault } from "./postgres-steps.ts";
import { runSteps, type Step } from "./run-steps.ts";

export interface DiagnoseNetworkOptions {
  env: EnvRecord;
  clock: Clock;
  /** With another than QStash its own checks reach it. */
  queue: QueueName;
  findStoreFault: FindStoreFault;
  /** The address at which handlers call Meta; by default graph.instagram.com. */
  metaUrl?: string;
}

/** For one target; all targets are tried at the same time. */
const budgetMs = 13_000;
const httpLimitMs = 4_000;

/**
 * Whether the queue, Postgres, Meta and the relay's own public address can be reached from here, step by step: name,
 * connection, TLS, answer. Ends within 15 s and never rejects; changes nothing anywhere.
 */
export async function diagnoseNetwork(options: DiagnoseNetworkOptions): Promise<Diagnosis> {
  const checks = await Promise.all([tryQueue(options), tryPostgres(options), tryRelay(options), tryMeta(options)]);
  return createDiagnosis(checks.flat());
}

async function tryQueue({ queue, env, clock }: DiagnoseNetworkOptions): Promise<Check[]> {
  if (queue !== "qstash") return [];
  return withVariable("QStash", env, "QSTASH_URL", (url) =>
    // Without the token, because every answer proves the connection; another diagnosis checks the token.
    tryHttp("QStash", { url: `${url}/v2/keys`, variable: "QSTASH_URL", clock }),
  );
}

function tryRelay({ env, clock }: DiagnoseNetworkOptions): Promise<Check[]> {
  const bypassSecret = env["VERCEL_AUTOMATION_BYPASS_SECRET"]?.trim() || null;
  return withVariable("Relay", env, "RELAY_URL", ([url]) =>
    tryHttp("Relay", {
      url: `${url}/api/health`,
      variable: "RELAY_URL",
      clock,
      judge: judgeHealth,
      headers: protectionBypass(bypassSecret),
    }),
  );
}

/** Only backfills and handlers call Meta, so a failure here is a warning. */
async function tryMeta({ clock, metaUrl = "https://graph.instagram.com" }: DiagnoseNetworkOptions): Promise<Check[]> {
  const checks = await tryHttp("Meta", { url: metaUrl, variable: "", clock, failure: "warning" });
  const remedy = "Check this machine's network, name server and firewall.";
  return checks.map((check) =>
    check.cause === undefined
      ? check
      : { ...check, cause: `${check.cause} The relay calls Meta for a backfill only; your handlers may.`, remedy },
  );
}

function tryPostgres({ env, clock, findStoreFault }: DiagnoseNetworkOptions): Promise<Check[]> {
  return withVariable("Postgres", env, "DATABASE_URL", (databaseUrl) => {
    const { steps, close } = createPostgresSteps({ databaseUrl, findStoreFault, clock });
    return runSteps(steps, { target: "Postgres", clock, budgetMs, failure: "failed" }).finally(close);
  });
}

interface HttpTarget {
  url: string;
  variable: string;
  clock: Clock;
  headers?: Record<string, string>;
  /** What the answer means; by default every answer is good. */
  judge?: (answer: HttpAnswer) => Finding;
  failure?: "failed" | "warning";
}

async function tryHttp(target: string, options: HttpTarget): Promise<Check[]> {
  const { variable, clock, headers = {}, judge = anyAnswer, failure = "failed" } = options;
  const url = new URL(options.url);
  const isTls = url.protocol === "https:";
  const port = Number(url.port) || (isTls ? 443 : 80);
  const connection = createConnection({ host: hostOf(url), port, variable });
  const steps: Step[] = [
    ...connection.steps,
    ...(isTls ? [connection.tlsStep(clock)] : []),
    {
      name: "HTTP",
      limitMs: httpLimitMs,
      run: async () => judge(await connection.get(url.pathname, headers)),
      explain: (error) => explainNetwork(error, { variable }),
    },
  ];
  return runSteps(steps, { target, clock, budgetMs, failure }).finally(connection.close);
}

function anyAnswer({ status }: HttpAnswer): Finding {
  return { status: "ok", detail: `answered ${status}` };
}

/** Without its variable a target cannot be tried. The diagnosis of the environment reports what is wrong with it. */
async function withVariable<Name extends EnvName>(
  target: string,
  env: EnvRecord,
  name: Name,
  diagnose: (value: Env[Name]) => Promise<Check[]>,
): Promise<Check[]> {
  try {
    return await diagnose(readEnv(env, [name])[name]);
  } catch {
    const remedy = `Set ${name}; the checks of the environment say what is wrong with it.`;
    return [
      { name: target, status: "failed", detail: "no address", cause: `${name} is missing or malformed.`, remedy },
    ];
  }
}
