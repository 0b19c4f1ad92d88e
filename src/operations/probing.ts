import { createProbe } from "#measurements/create-probe.ts";
import type { Network } from "#platform/bounded-fetch.ts";
import { RelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";

import type { SignedProbe } from "#measurements/probe.ts";
import { type Burst, noEdge, sendBurst } from "#measurements/send-burst.ts";
import type { Database } from "#store/connection/database.ts";
import { readSentPairs, savePairs } from "#store/figures/probe-pairs.ts";
import { readLastRequests } from "#store/figures/probe-reach.ts";
import { finishPart, takePart } from "#store/operators/maintenance-parts.ts";

/** What probes are made and sent with; the rim builds it. */
export interface Probing extends Network {
  db: Database;
  /** The relay's own base URL. */
  baseUrl: string;
  bypassSecret: string | null;
  /** Makes `X-Hub-Signature-256` with the app secret. */
  sign: (body: Uint8Array) => Promise<string>;
  relaySecret: string;
  /** The build that this process is of; null if it has no name. */
  deployment: string | null;
  /** Where this process sends from, as the verdict's sentence names it. */
  vantage: string;
  /** Outside Vercel the edge is Next's emulation: its times say nothing about Vercel's edge. */
  isEmulated: boolean;
  /** PROBE_PAIRS_PER_DAY; 0 for none. */
  pairsPerDay: number;
  /** Uniform in [0, 1). */
  random: () => number;
  /** A random UUID. */
  newId: () => string;
  log: Log;
}

/** Names the place of a function of ours. A stranger's name for a place cannot be this. */
export function vantageOf(region: string | null): string {
  return `${ownVantage}${region === null ? "" : ` in ${region}`}`;
}

/** How the names of our own places begin. */
export const ownVantage = "this deployment's Node function";

export interface SignedBurst {
  probes: SignedProbe[];
  /** How long each function had had no request when this was answered; null if none is known. */
  idleMs: { edge: number | null; nodejs: number | null };
  isEmulated: boolean;
}

/** So many probes, which are genuine for five minutes and go no further than the webhook. Throws `STORE_UNAVAILABLE`. */
export async function signBurst({ pairs: count }: { pairs: number }, probing: Probing): Promise<SignedBurst> {
  const { db, deployment, clock, newId, isEmulated } = probing;
  const nowMs = clock.nowMs();
  const last = await readLastRequests(db, deployment, nowMs);
  const idle = (atMs: number | null) => (atMs === null ? null : Math.max(0, nowMs - atMs));
  const probes = Array.from({ length: count }, () => createProbe({ ...probing, id: newId(), nowMs }));
  return {
    probes: await Promise.all(probes),
    idleMs: { edge: idle(last.edge), nodejs: idle(last.nodejs) },
    isEmulated,
  };
}

/**
 * Sends a burst from here and stores its pairs; with a canary as the last of them if none was sent for an hour. Throws
 * `STORE_UNAVAILABLE`.
 */
export async function sendOwnBurst(count: number, deadlineMs: number, probing: Probing): Promise<Burst> {
  const { db, vantage, clock, newId, log } = probing;
  const nowMs = clock.nowMs();
  const { lastCanaryAtMs } = await readSentPairs(db, vantage, nowMs);
  const { probes, idleMs } = await signBurst({ pairs: count }, probing);
  const canaryIds = new Set<string>();
  if (lastCanaryAtMs === null || nowMs - lastCanaryAtMs >= canaryEveryMs) {
    const canary = await createProbe({ ...probing, id: newId(), nowMs, isCanary: true });
    // The last, because the first of a burst may start cold.
    probes.splice(-1, 1, canary);
    canaryIds.add(canary.id);
  }
  const burst = await sendBurst(probes, { ...probing, burst: newId(), idleMs, deadlineMs, canaryIds });
  await savePairs(db, vantage, burst.pairs);
  if (burst.failure === null) log.debug("probes.sent", { pairs: burst.pairs.length });
  else log.warn("probes.failed", { pairs: burst.pairs.length, reason: burst.failure });
  return burst;
}

const canaryEveryMs = 60 * 60_000;

/** The part of maintenance that sends probes. */
export const probesPart = "probes";

export interface ProbesSent extends Burst {
  vantage: string;
  emulated: boolean;
}

const askEdgeAgainMs = 24 * 60 * 60_000;

/** What maintenance remembers of a build whose webhook runs on Node; `noEdgeIn`: the build, null for one without a name. */
export function withoutEdge({ deployment, clock }: Pick<Probing, "deployment" | "clock">) {
  const nextAt = new Date(clock.nowMs() + askEdgeAgainMs).toISOString();
  return { sent: 0, failure: noEdge, nextAt, noEdgeIn: deployment };
}

const runLimitMs = 15_000;
/** The most pairs of one request. */
export const pairsPerRunMax = 8;

/**
 * Sends a few pairs now, whatever the budget; they count in it. Throws `CONFLICT` while others are being sent from here, and
 * `STORE_UNAVAILABLE`.
 */
export async function probeNow({ pairs }: { pairs: number }, probing: Probing): Promise<ProbesSent> {
  const { db, clock, vantage, isEmulated: emulated } = probing;
  const startedAt = clock.monotonicMs();
  // The same part, so that two bursts do not slow each other; what maintenance recorded of it stays.
  const taken = await takePart(db, probesPart);
  if (taken === undefined)
    throw new RelayError("CONFLICT", "Probes are being sent at this moment: try again in a minute");
  let result = taken.last;
  try {
    const burst = await sendOwnBurst(pairs, startedAt + runLimitMs, probing);
    if (!burst.hasEdge) result = withoutEdge(probing);
    return { ...burst, vantage, emulated };
  } finally {
    await finishPart(db, { name: probesPart, ms: clock.monotonicMs() - startedAt, result, errorName: null });
  }
}
