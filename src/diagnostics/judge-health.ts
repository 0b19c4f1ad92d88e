import { parseJsonObject } from "#platform/parse-json.ts";

import type { Finding } from "./check.ts";
import {
  deploymentProtectionAdvice,
  explainStranger,
  type HttpAnswer,
  isDeploymentProtection,
} from "./deployment-protection.ts";

/** Whether what answers at `{RELAY_URL}/api/health` is a relay, and how it says it is. */
export function judgeHealth(answer: HttpAnswer): Finding {
  const detail = `answered ${answer.status}`;
  if (isDeploymentProtection(answer)) return { status: "failed", detail, ...deploymentProtectionAdvice };
  const { status, store, queue, error, relayUrl } = parseJsonObject(answer.text) as HealthJson;
  if (error?.code === "ENV_INVALID") {
    const gaps = String(error.message).match(/\b[A-Z][A-Z_]+ is (not set|malformed)/g) ?? ["a variable is missing"];
    const cause = `The relay is there, but its configuration is incomplete: ${gaps.join(", ")}.`;
    return { status: "failed", detail, cause, remedy: "Set that where the relay runs, and deploy again." };
  }
  if (typeof status !== "string" || typeof store !== "string") {
    return { status: "failed", detail: `${detail}, not as a relay`, ...explainStranger(answer) };
  }
  const said = `the relay: store ${showWord(store)}, queue ${showWord(queue)}`;
  if (store !== "ok") {
    const cause = "The relay is there, but cannot use its Postgres.";
    return { status: "failed", detail: said, cause, remedy: "See the checks of Postgres, where the relay runs." };
  }
  if (relayUrl !== undefined) {
    const cause = "The relay is there, but its own RELAY_URL redirects: QStash does not follow.";
    const remedy = "Set RELAY_URL to where the redirect leads: /api/health names it.";
    return { status: "failed", detail: said, cause, remedy };
  }
  if (queue === "failing") {
    const cause = "The newest deliveries could not be published to QStash.";
    return { status: "warning", detail: said, cause, remedy: "See the checks of QStash, where the relay runs." };
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

/** Of the words we know; anything else came from somebody else. */
function showWord(word: unknown): string {
  return word === "ok" || word === "down" || word === "failing" ? word : "unknown";
}
