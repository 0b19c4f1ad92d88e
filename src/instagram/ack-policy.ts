import { type Clock, settleWithin } from "#platform/clock.ts";
import type { Runtime } from "#platform/delivery.ts";
import type { AckMode } from "#platform/webhook-env.ts";
import type { Log } from "#platform/log.ts";

/** What one delivery's ack waits for, and how long its forward may publish before it falls back. */
export interface AckPlan {
  mode: AckMode;
  publishBudgetMs: number;
}

export interface AckPolicy {
  /** The plan for the next delivery: the configured one, or `durable` while deliveries are not being kept. */
  plan(configured: AckPlan): AckPlan;
  /**
   * Whether the delivery may be acknowledged; waits for `kept`, which never rejects, as long as the mode asks for.
   * `elapsedMs` counts from the handler's entry. What becomes of `kept` decides the plans that follow.
   */
  mayAck(mode: AckMode, kept: Promise<boolean>, elapsedMs: () => number): Promise<boolean>;
}

export interface AckPolicyOptions {
  runtime: Runtime;
  clock: Clock;
  log: Log;
}

/** The mode in which only what is kept is acknowledged. */
export const durable: AckMode = { kind: "durable" };

/**
 * Counted from the handler's entry: the answer is there within Meta's five seconds.
 * https://developers.facebook.com/docs/messenger-platform/webhooks
 */
const durableLimitMs = 4_000;
/** Publishing takes at most this long when the ack waits for it, so that the fallback fits into `durableLimitMs` too. */
const awaitedPublishMsMax = 2_000;

/** Decides which deliveries of an isolate are acknowledged, and when. */
export function createAckPolicy({ runtime, clock, log }: AckPolicyOptions): AckPolicy {
  /** False after a forward failed both ways: until one succeeds, only deliveries that are kept are acknowledged. */
  let isKeeping = true;

  function noteWhetherKept(kept: boolean): void {
    if (kept === isKeeping) return;
    isKeeping = kept;
    if (kept) log.info("acks.resumed", { runtime });
    else log.error("acks.withheld", { runtime });
  }

  return {
    plan(configured) {
      if (isKeeping && configured.mode.kind !== "durable") return configured;
      return { mode: durable, publishBudgetMs: Math.min(configured.publishBudgetMs, awaitedPublishMsMax) };
    },

    async mayAck(mode, kept, elapsedMs) {
      void kept.then(noteWhetherKept);
      const within = (limitMs: number) => settleWithin(clock, Math.max(0, limitMs - elapsedMs()), kept);
      if (mode.kind === "immediate") return true;
      if (mode.kind === "race") {
        const known = await within(mode.limitMs);
        if (known !== undefined) return known;
        if (isKeeping) return true;
      }
      return (await within(durableLimitMs)) ?? false;
    },
  };
}
