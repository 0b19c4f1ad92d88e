import { type Runtime, runtimes } from "#platform/delivery.ts";

import type { MeasuredPair, MeasuredProbe, SignedProbe } from "./probe.ts";
import { openConnection, type ProbeAnswer, ProbeFailure, type ProbeTarget, sendProbe } from "./send-probe.ts";

export interface BurstOptions extends ProbeTarget {
  /** A UUID. */
  burst: string;
  /** How long each function has had no request; null if none is known. */
  idleMs: Record<Runtime, number | null>;
  /** Of the monotonic clock: no pair begins with less than a second left, and none takes longer. */
  deadlineMs: number;
  /** Uniform in [0, 1). */
  random: () => number;
  /** The probes that are published, too; none unless given. */
  canaryIds?: ReadonlySet<string>;
}

export interface Burst {
  pairs: MeasuredPair[];
  /** Why the burst ended before its last pair; null if it did not. */
  failure: string | null;
  /** False if the edge's address was answered by Node: in this build nothing runs on the edge. */
  hasEdge: boolean;
}

/** Why a burst ended at once where nothing runs on the edge. */
export const noEdge = "the webhook runs on Node, so there is no edge function to compare";

const probeTimeoutMs = 5_000;
/** With less a probe would be given up that only started cold. */
const pairMsMin = 1_000;

/**
 * Sends pairs one after another from here: each probe alone, so that the two do not wait for each other, in random order.
 * Ends at the first answer that is not a probe's, at the deadline, where a deployment changed, and where nothing runs
 * on the edge. Never rejects.
 */
export async function sendBurst(probes: readonly SignedProbe[], options: BurstOptions): Promise<Burst> {
  const { clock, deadlineMs, idleMs, random } = options;
  const lastAt = Object.fromEntries(
    runtimes.map((runtime) => [runtime, clock.monotonicMs() - (idleMs[runtime] ?? Infinity)]),
  ) as Record<Runtime, number>;
  const pairs: MeasuredPair[] = [];
  const leftMs = () => deadlineMs - clock.monotonicMs();

  async function send(runtime: Runtime, probe: SignedProbe, timeoutMs: number) {
    const sentAt = clock.monotonicMs();
    const idle = sentAt - lastAt[runtime];
    lastAt[runtime] = sentAt;
    const answer = await sendProbe(runtime, probe, timeoutMs, options);
    return { answer, measured: measuredBy(answer, Number.isFinite(idle) ? idle : null) };
  }

  try {
    await openConnection(Math.max(1, Math.min(probeTimeoutMs, leftMs() / 4)), options);
    for (const probe of probes) {
      if (leftMs() < pairMsMin) return { pairs, failure: "the time was over", hasEdge: true };
      const timeoutMs = Math.min(probeTimeoutMs, leftMs() / 2);
      const first: Runtime = random() < 0.5 ? "edge" : "nodejs";
      const second: Runtime = first === "edge" ? "nodejs" : "edge";
      const atMs = clock.nowMs();
      const one = await send(first, probe, timeoutMs);
      const other = await send(second, probe, timeoutMs);
      if ((first === "edge" ? one : other).answer?.runtime === "nodejs")
        return { pairs, failure: noEdge, hasEdge: false };
      const deployment = (one.answer ?? other.answer)?.deployment ?? null;
      if (other.answer !== null && other.answer.deployment !== deployment)
        return { pairs, failure: "two deployments answered", hasEdge: true };
      const sides = { [first]: one.measured, [second]: other.measured } as Record<Runtime, MeasuredProbe>;
      const canary = options.canaryIds?.has(probe.id) ?? false;
      pairs.push({ id: probe.id, burst: options.burst, atMs, first, deployment, canary, ...sides });
    }
    return { pairs, failure: null, hasEdge: true };
  } catch (thrown) {
    const failure = thrown instanceof ProbeFailure ? thrown.message : "a probe could not be sent";
    return { pairs, failure, hasEdge: true };
  }
}

function measuredBy(answer: ProbeAnswer | null, idleMs: number | null): MeasuredProbe {
  return {
    ms: answer?.ms ?? null,
    handlerMs: answer?.handlerMs ?? null,
    region: answer?.region ?? null,
    coldStart: answer?.coldStart ?? null,
    idleMs,
    deliveryId: answer?.deliveryId ?? null,
  };
}
