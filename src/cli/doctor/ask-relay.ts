import * as v from "valibot";

import type { Check, Diagnosis } from "#diagnostics/check.ts";
import { deploymentProtectionAdvice, isDeploymentProtection } from "#diagnostics/deployment-protection.ts";
import type { EnvDiagnosis } from "#diagnostics/diagnose-env.ts";
import { explainNetwork, networkCodeOf } from "#diagnostics/explain-network.ts";
import { type Answer, fetchWithin, type Network } from "#platform/bounded-fetch.ts";
import { parseJson } from "#platform/parse-json.ts";
import { queueNames } from "#platform/queue-name.ts";
import { protectionBypass } from "#platform/protection-bypass.ts";

import { userAgent } from "../fetch-or-fail.ts";

/** The results of the three diagnoses in one place. */
export interface Diagnoses {
  env: EnvDiagnosis;
  /** Of the queue that `env` names. */
  queue: Diagnosis;
  network: Diagnosis;
}

export interface AskRelayOptions extends Network {
  baseUrl: string;
  opsToken: string;
  /** Lets the requests pass Deployment Protection; null without it. */
  bypassSecret: string | null;
  onProgress: (doing: string) => void;
}

/** Longer than any of the diagnoses may take. */
const limitMs = 40_000;

/** The results of `/api/diagnostics` on the relay, or one failed check that says why there are none. Never rejects. */
export async function askRelay(options: AskRelayOptions): Promise<Diagnoses | Check> {
  const env = await post<Diagnosis & Partial<EnvDiagnosis>>("env", options);
  if ("name" in env) return env;
  // An older relay names no queue, and knows QStash alone.
  const name = queueNames.find((one) => one === env.queue) ?? "qstash";
  const queue = await post<Diagnosis>(env.queue === undefined ? "qstash" : "queue", options);
  if ("name" in queue) return queue;
  const network = await post<Diagnosis>("network", options);
  return "name" in network ? network : { env: { ...env, queue: name }, queue, network };
}

async function post<T extends Diagnosis>(what: string, options: AskRelayOptions): Promise<T | Check> {
  const { baseUrl, opsToken, bypassSecret, onProgress } = options;
  onProgress(what);
  const headers = {
    authorization: `Bearer ${opsToken}`,
    "user-agent": userAgent,
    ...protectionBypass(bypassSecret),
  };
  const url = `${baseUrl}/api/diagnostics/${what}`;
  try {
    const answer = await fetchWithin(limitMs, url, { method: "POST", headers }, options);
    const diagnosis = answer.status === 200 ? parseJson(answer.text) : undefined;
    return v.is(diagnosisSchema, diagnosis) ? (diagnosis as T) : explainAnswer(answer);
  } catch (error) {
    const code = networkCodeOf(error);
    const { cause, remedy } = explainNetwork(error, { variable: "--url or RELAY_URL" });
    return failed(
      code,
      cause,
      code === "ECONNREFUSED" ? "Run npm start, or set --url to the address of the relay." : remedy,
    );
  }
}

const optionalText = v.optional(v.string());
/** What answers at an address need not be the relay. */
const diagnosisSchema = v.looseObject({
  ok: v.boolean(),
  checks: v.array(
    v.looseObject({
      name: v.string(),
      status: v.picklist(["ok", "warning", "failed", "skipped"]),
      detail: v.string(),
      durationMs: v.optional(v.number()),
      cause: optionalText,
      remedy: optionalText,
    }),
  ),
});

function explainAnswer({ status, headers, text }: Answer): Check {
  const detail = `answered ${status}`;
  if (isDeploymentProtection({ status, headers: new Map(headers), text })) {
    return { ...failed(detail, "", ""), ...deploymentProtectionAdvice };
  }
  if (status === 401) {
    return failed(
      detail,
      "The relay refuses OPS_TOKEN: it is the token of another relay.",
      "Set OPS_TOKEN to the token of this relay.",
    );
  }
  if (status === 503 && text.includes('"ENV_INVALID"')) {
    return failed(detail, "The relay has no OPS_TOKEN.", "Set OPS_TOKEN where the relay runs, and deploy again.");
  }
  return failed(
    detail,
    "Another server answers there, or a version of the relay that has no diagnostics.",
    "Set --url to the address of the relay, or deploy this version there.",
  );
}

function failed(detail: string, cause: string, remedy: string): Check {
  return { name: "/api/diagnostics", status: "failed", detail, cause, remedy };
}
