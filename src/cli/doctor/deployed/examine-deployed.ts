import * as v from "valibot";

import type { Check } from "#diagnostics/check.ts";
import type { SignedProbe } from "#measurements/probe.ts";
import { CliFailure } from "#platform/failure.ts";

import { askPlace } from "../../read-ops.ts";
import { askRelay, type Diagnoses } from "../ask-relay.ts";
import { checkAddress } from "./check-address.ts";
import { checkDeployment } from "./check-deployment.ts";
import { checkWebhook } from "./check-webhook.ts";
import type { ChecklistGroup, DeployedRelay } from "./checklist.ts";

/** The relay, and what this machine knows of the deployment's secrets; null for what it does not. */
export interface DeployedOptions extends DeployedRelay {
  opsToken: string | null;
  verifyToken: string | null;
  relaySecret: string | null;
  qstash: { url: string; token: string } | null;
  bypassSecret: string | null;
  version: string;
  signal: AbortSignal;
  onProgress: (doing: string) => void;
}

/**
 * The checklist of docs/DEPLOY.md against a deployed relay: the address, the webhook as Meta calls it, and what the
 * deployment finds of itself. It stores nothing; two QStash messages ask the relay for its health. Never rejects.
 */
export async function examineDeployed(options: DeployedOptions): Promise<ChecklistGroup[]> {
  options.onProgress("the address");
  const address: ChecklistGroup = { title: "Address", checks: await checkAddress(options) };
  // Without encryption to a public address no token is sent: what follows would give them away.
  const isUnsafe = ({ name, status }: Check) => status === "failed" && /^(Address|HTTPS)/.test(name);
  if (address.checks.some(isUnsafe)) return [address];
  options.onProgress("the webhook");
  const webhook = await checkWebhook({ ...options, probe: await signProbe(options) });
  const diagnoses = await diagnose(options);
  options.onProgress("maintenance");
  const deployment = await checkDeployment({ ...options, diagnoses });
  return [address, { title: "Webhook, as Meta calls it", checks: webhook }, ...deployment];
}

/** What answers at an address need not be the relay. */
const signedBurst = v.object({
  probes: v.array(v.object({ id: v.string(), body: v.string(), headers: v.record(v.string(), v.string()) })),
});

const noToken = "OPS_TOKEN of the deployment is not set here";

/** A probe that the relay signs, so that this machine needs no app secret; a string says why there is none. */
async function signProbe(options: DeployedOptions): Promise<SignedProbe | string> {
  const { baseUrl, opsToken, bypassSecret, signal } = options;
  if (opsToken === null) return noToken;
  const names = { url: "--deployed", token: "OPS_TOKEN" };
  const place = { baseUrl, token: opsToken, names, bypassSecret, signal, answerBytesMax: 1_000_000 };
  try {
    const answer = await askPlace<unknown>(place, "POST", "probes/signed", { body: { pairs: 1 } });
    const burst = v.safeParse(signedBurst, answer);
    return (burst.success ? burst.output.probes[0] : undefined) ?? "the relay signed none";
  } catch (thrown) {
    if (thrown instanceof CliFailure) return "the relay signed none: see its answer below";
    throw thrown;
  }
}

async function diagnose(options: DeployedOptions): Promise<Diagnoses | Check> {
  const { opsToken, onProgress } = options;
  if (opsToken !== null)
    return askRelay({ ...options, opsToken, onProgress: (what) => onProgress(`${what}, on the relay`) });
  const cause = "The relay says what it finds of itself only to its operators.";
  return {
    name: "OPS_TOKEN",
    status: "failed",
    detail: "not set here",
    cause,
    remedy: "Set it to the token of the deployment.",
  };
}
