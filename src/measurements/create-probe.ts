import { encoder } from "#platform/bytes.ts";
import { canaryPurpose, markProbe, probeAccount, probePurpose } from "#platform/probe-mark.ts";

import type { SignedProbe } from "./probe.ts";

export interface CreateProbeOptions {
  /** Makes `X-Hub-Signature-256` with the app secret. */
  sign: (body: Uint8Array) => Promise<string>;
  /** `RELAY_SECRET`. */
  relaySecret: string;
  /** A UUID that was never used before. */
  id: string;
  nowMs: number;
  /** Whether it is to be published and ingested, too. */
  isCanary?: boolean;
}

/**
 * A probe that the webhook answers as one of ours for five minutes: one message, as long as most are, of an account that
 * Meta does not have. Without its mark, or later, it is a delivery whose event the consumer drops.
 */
export async function createProbe(options: CreateProbeOptions): Promise<SignedProbe> {
  const { sign, relaySecret, id, nowMs, isCanary = false } = options;
  const message = { mid: `probe-${id}`, text: "A probe of the relay: it measures how long an answer takes." };
  const item = { sender: { id: "0" }, recipient: { id: probeAccount }, timestamp: nowMs, message };
  const body = JSON.stringify({
    object: "instagram",
    entry: [{ id: probeAccount, time: nowMs, messaging: [item] }],
  });
  const bytes = encoder.encode(body);
  const headers = {
    "content-type": "application/json",
    "x-hub-signature-256": await sign(bytes),
    ...(await markProbe(relaySecret, bytes, nowMs, isCanary ? canaryPurpose : probePurpose)),
  };
  return { id, body, headers };
}
