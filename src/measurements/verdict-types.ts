import type { Runtime } from "#platform/delivery.ts";

export type ProbeStart = "warm" | "cold";

/** One pair of probes: the same signed body, sent to both runtimes at one moment from one place. */
export interface ProbePair {
  /** When it was sent, in milliseconds since the epoch. */
  atMs: number;
  /** Pairs of one burst were sent together, so they are not independent of each other. */
  burst: string;
  /** From sending to the answer, on a monotonic clock. `Infinity`: no answer came in time. */
  edgeMs: number;
  nodeMs: number;
  /** By the time since the last request to that function. */
  start: ProbeStart;
  /** The deployment that answered; null if it has no name. */
  deployment: string | null;
  /** Where the pair was sent from. */
  vantage: string;
}

export interface VerdictOptions {
  /** Pairs from more than five minutes after this are left out: a clock was wrong. */
  nowMs: number;
  /** On a server outside Vercel the edge is Next's emulation: the figures are shown, and nothing is decided. */
  isEmulated: boolean;
  /** Whether the webhook runs on Node by now; it runs on the edge unless given. */
  isWithoutEdge?: boolean;
  /**
   * True (the default): the interval covers the truth at all looks together while pairs are only added, so that it may be read at
   * any time. False: for one look after a number of pairs that was chosen before; narrower.
   */
  isLive?: boolean;
  /** Warm and cold pairs are judged apart; `warm` by default. */
  start?: ProbeStart;
  /** By default the one with the most pairs. */
  vantage?: string;
}

/**
 * Why it is decided or not. `decided`: the interval excludes 1. `too-close`: it does not. `too-few`: pairs or bursts.
 * `changed`: too few since a change inside the window. `too-alike`: consecutive bursts repeat each other. `unanswered`: so many
 * probes got no answer that p95 is unknown. `identical`: the times do not vary. `one-runtime`: only one of them answered.
 * `emulated`: not a real edge. `no-edge`: the webhook runs on Node. `no-pairs`: none fits.
 */
export type VerdictReason =
  | "decided"
  | "too-close"
  | "too-few"
  | "changed"
  | "too-alike"
  | "unanswered"
  | "identical"
  | "one-runtime"
  | "emulated"
  | "no-edge"
  | "no-pairs";

export type Interval = [low: number, high: number];

/** A ratio Node ÷ edge: above 1 the edge is faster. */
export interface RatioEstimate {
  ratio: number;
  confidence95: Interval;
}

/** Pairs that were not judged, by the first reason that applies. */
export interface LeftOut {
  /** A time that is not positive, or a date in the future. */
  invalid: number;
  otherStart: number;
  otherVantage: number;
  otherDeployment: number;
  beforeChange: number;
}

/** The judgement on all pairs of a window. Figures are null where the pairs do not suffice for them. */
export interface Verdict {
  metric: "probeMs.p95";
  faster: Runtime | "undecided";
  reason: VerdictReason;
  /** p95 of Node ÷ p95 of the edge. */
  ratio: number | null;
  confidence95: Interval | null;
  /** p95 of Node − p95 of the edge, in milliseconds. */
  differenceMs: number | null;
  /** Judged pairs, and the bursts they were sent in. */
  pairs: number;
  bursts: number;
  /** The smallest ratio of the slower to the faster that so many pairs show with 80 % probability. */
  detectableRatio: number | null;
  vantage: string | null;
  deployment: string | null;
  start: ProbeStart;
  /** When the ratio changed inside the window (ISO 8601); only later pairs are judged. */
  changedAt: string | null;
  /** The median of the pairs' ratios: what a typical delivery sees. It does not decide. Null also if the edge is emulated. */
  typical: (RatioEstimate & { sentence: string }) | null;
  leftOut: LeftOut;
  sentence: string;
}
