import { type EnvRecord, readEnv } from "#platform/env.ts";
import { parseJsonObject } from "#platform/parse-json.ts";

import type { Advice, Finding } from "./check.ts";

/**
 * The finding whether the signing keys in the environment are those of the account, from the answer to `GET /v2/keys`.
 * The keys are compared and never shown. https://upstash.com/docs/qstash/howto/roll-signing-keys
 */
export function judgeSigningKeys(record: EnvRecord, keysJson: string): Finding {
  const known = parseJsonObject(keysJson);
  const current = readKey(record, "QSTASH_CURRENT_SIGNING_KEY");
  const next = readKey(record, "QSTASH_NEXT_SIGNING_KEY");
  const remedy = "Copy both signing keys from the QStash console, and deploy again.";
  if (current === null || next === null) {
    return { status: "failed", detail: "not set", cause: "The consumer cannot verify QStash's deliveries.", remedy };
  }
  if (current === known["current"] && next === known["next"]) return { status: "ok", detail: "both are QStash's" };
  const keys: Advice = { cause: causeOf(current, next, known), remedy };
  // The consumer tries both, so deliveries are accepted as long as one of them is the current key.
  const isAccepted = current === known["current"] || next === known["current"];
  return isAccepted
    ? { status: "warning", detail: "different from QStash's, but one still fits", ...keys }
    : { status: "failed", detail: "different from QStash's", ...keys };
}

function causeOf(current: string, next: string, known: Record<string, unknown>): string {
  if (current === known["next"]) return "The two keys are interchanged.";
  if (next === known["current"]) return "QStash's keys were rotated; after the next rotation neither key would fit.";
  if (current === known["current"])
    return "The next key is a different one: when QStash rotates its keys, deliveries will be refused.";
  return "They belong to another account or region, or were rotated twice: the consumer refuses every delivery.";
}

function readKey(record: EnvRecord, name: "QSTASH_CURRENT_SIGNING_KEY" | "QSTASH_NEXT_SIGNING_KEY"): string | null {
  try {
    return readEnv(record, [name])[name];
  } catch {
    return null;
  }
}
