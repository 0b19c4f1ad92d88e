import { parseJsonObject } from "#platform/parse-json.ts";

import type { Finding } from "./check.ts";
import {
  deploymentProtectionAdvice,
  explainStranger,
  type HttpAnswer,
  isDeploymentProtection,
} from "./deployment-protection.ts";

/** The finding whether a relay answers at `{RELAY_URL}/api/health`, and what it says of itself. */
export function judgeHealth(answer: HttpAnswer): Finding {
  const detail = `answered ${answer.status}`;
  if (isDeploymentProtection(answer)) return { status: "failed", detail, ...deploymentProtectionAdvice };
  const { status, store, queue, error, relayUrl } = parseJsonObject(answer.text) as HealthJson;
  if (error?.code === "ENV_INVALID") {
    const gaps = String(error.message).match(/\b[A-Z][A-Z_]+ is (not set|malformed)/g) ?? ["a variable is missing"];
    const cause = `The relay is there, but its configuration is incomplete: ${gaps.join(", ")}.`;
    return { status: "failed", detail, cause, remedy: "Set it where the relay runs, and deploy again." };
  }
  if (typeof status !== "string" || typeof store !== "string") {
    return { status: "failed", detail: `${detail}, not as a relay`, ...explainStranger(answer) };
  }
  const said = `the relay: store ${showWord(store)}, queue ${showWord(queue)}`;
  if (store !== "ok") {
    const cause = "The relay is there, but it cannot use its Postgres.";
    return { status: "failed", detail: said, cause, remedy: "See the checks of Postgres, where the relay runs." };
  }
  if (relayUrl !== undefined) {
    const cause =
      "The relay is there, but its own RELAY_URL redirects, and neither the queue nor the relay follows redirects.";
    const remedy = "Set RELAY_URL to the target of the redirect, which /api/health names.";
    return { status: "failed", detail: said, cause, remedy };
  }
  if (queue === "failing") {
    const cause = "The newest deliveries could not be published to the queue.";
    return { status: "warning", detail: said, cause, remedy: "See the checks of the queue, where the relay runs." };
  }
  return { status: "ok", detail: said };
}

interface HealthJson {
  status?: unknown;
  store?: unknown;
  queue?: unknown;
  error?: { code?: unknown; message?: unknown } | null;
  relayUrl?: unknown;
}

/** The words that a relay answers; every other text comes from another server and is not shown. */
function showWord(word: unknown): string {
  return word === "ok" || word === "down" || word === "failing" ? word : "unknown";
}
