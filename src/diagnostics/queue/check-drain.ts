import { readEnv } from "#platform/env.ts";
import { postInternal } from "#platform/post-internal.ts";
import { drainPath } from "#queue/wake-drain.ts";

import { deploymentProtectionAdvice, explainStranger, isDeploymentProtection } from "../deployment-protection.ts";
import { type QueueAdvice, runQueueCheck } from "./queue-advice.ts";
import type { CheckQueue } from "./queue-check.ts";

const timeoutMs = 5_000;

/** Whether the drain of a pulled queue can be wakened at RELAY_URL. The drain then ingests what waits. */
export const checkDrain: CheckQueue = async ({ env: record, clock, fetch }) => {
  const wake = async () => {
    const env = readEnv(record, ["RELAY_URL", "RELAY_SECRET", "VERCEL_AUTOMATION_BYPASS_SECRET"]);
    const { VERCEL_AUTOMATION_BYPASS_SECRET: bypassSecret } = env;
    const call = {
      relayUrl: env.RELAY_URL[0],
      path: drainPath,
      secret: env.RELAY_SECRET[0],
      bypassSecret,
      fetch,
      clock,
    };
    const { status, headers, text } = await postInternal(new Uint8Array(0), timeoutMs, call);
    if (status === 202) return { status: "ok", detail: "wakes" } as const;
    const answer = { status, headers: new Map(headers), text };
    const isRelay = status === 401 && text.includes('"SIGNATURE_INVALID"');
    const advice = isRelay
      ? wrongSecret
      : isDeploymentProtection(answer)
        ? deploymentProtectionAdvice
        : explainStranger(answer);
    return { status: "failed", detail: `answered ${status}`, ...advice } as const;
  };
  return [await runQueueCheck("Drain", wake, { clock, advice })];
};

const wrongSecret = {
  cause: "The relay does not accept RELAY_SECRET: it has another one, or the clocks differ by over five minutes.",
  remedy: "Set RELAY_SECRET to that of the relay, or correct the clock.",
};

const advice: QueueAdvice = {
  variable: "RELAY_URL",
  byCode: {},
  otherwise: {
    cause: "Batches wait for maintenance, which drains too.",
    remedy: "Set RELAY_URL to the target of the redirect.",
  },
};
