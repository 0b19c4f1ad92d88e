import type { Runtime } from "#platform/delivery.ts";

import { burstsMin, pairsMin } from "./verdict-sample.ts";
import type { Interval, RatioEstimate, Verdict } from "./verdict-types.ts";

export type WordlessVerdict = Omit<Verdict, "sentence">;

/** What the sentence says beside the verdict's own figures. */
export interface SentenceNotes {
  unanswered: Record<Runtime, number>;
  /** Only this runtime answered. */
  onlyRuntime: Runtime | null;
  /** The pairs are worth about so many independent ones. */
  independentPairs: number;
  latest: { deployment: string | null; pairs: number } | null;
  /** The webhook runs on Node by now. */
  isWithoutEdge: boolean;
  /** The edge is Next's emulation of it. */
  isEmulated: boolean;
}

const names: Record<Runtime, string> = { edge: "the edge", nodejs: "Node" };
const counts = new Intl.NumberFormat("en");

/** The verdict in words: what is known, from which pairs, and what else a reader must know. */
export function verdictSentence(verdict: WordlessVerdict, notes: SentenceNotes): string {
  const parts = [
    reasonSentence(verdict, notes),
    changeNote(verdict),
    latestNote(notes),
    withoutEdgeNote(verdict, notes),
    emulationNote(verdict, notes),
  ];
  return parts.filter((text) => text !== "").join(" ");
}

/** The typical difference in words. */
export function typicalSentence({ ratio, confidence95 }: RatioEstimate): string {
  const [low, high] = confidence95;
  if (low <= 1 && high >= 1) return `Typically the edge takes ${spread(confidence95, "less", "more")} time than Node.`;
  const [faster, slower] = low > 1 ? (["the edge", "Node"] as const) : (["Node", "the edge"] as const);
  return `Typically ${faster} takes ${percent(saving(ratio))} less time than ${slower} (${savings(confidence95)}).`;
}

function reasonSentence(
  verdict: WordlessVerdict,
  { unanswered, onlyRuntime, independentPairs }: SentenceNotes,
): string {
  const { reason, faster, ratio, confidence95, changedAt, detectableRatio, start } = verdict;
  const judged = judgedPairs(verdict);
  const needed = `at least ${pairsMin} pairs in ${burstsMin} bursts are needed`;
  switch (reason) {
    case "decided": {
      if (faster === "undecided" || ratio === null || confidence95 === null) return "";
      const other = faster === "edge" ? "Node's" : "the edge's";
      const name = faster === "edge" ? "The edge" : "Node";
      return `${name} is faster: its p95 is ${percent(saving(ratio))} lower than ${other} (${savings(confidence95)}), by ${judged}.`;
    }
    case "too-close":
      return `Undecided: ${p95Spread(confidence95)}, by ${judged}. ${detectable(detectableRatio)}`;
    case "emulated":
      return `Not a verdict: outside Vercel the edge is Next's emulation in a Node process. Measured there: ${p95Spread(confidence95)}, by ${judged}.`;
    case "too-few":
      return `Undecided: ${judged} are too few; ${needed}.`;
    case "changed":
      return `Undecided: the ratio changed at ${timeText(changedAt)}, and ${judged} since then are too few; ${needed}.`;
    case "too-alike":
      return `Undecided: the pairs are too alike. Each burst repeats the one before, so that ${judged} say about as much as ${countText(Math.round(independentPairs))} independent ones.`;
    case "unanswered":
      return `Undecided: ${countText(unanswered.edge)} probes to the edge and ${countText(unanswered.nodejs)} to Node got no answer, of ${judged}. While so many are missing, p95 is unknown; compare the failures first.`;
    case "identical":
      return `Undecided: the times do not vary in ${judged}; real measurements do.`;
    case "one-runtime":
      return `Undecided: only ${onlyRuntime === null ? "one runtime" : names[onlyRuntime]} answered the probes.`;
    case "no-edge":
      return "Not a comparison: the webhook runs on Node, so there is no edge function to compare, and no pairs are sent.";
    case "no-pairs":
      return `Undecided: no ${start} pairs were measured in this window.`;
  }
}

function judgedPairs({ pairs, bursts, start, vantage, deployment }: WordlessVerdict): string {
  const target = deployment === null ? "" : ` to deployment ${deployment}`;
  return `${counted(pairs, `${start} pair`)} in ${counted(bursts, "burst")} from ${vantage ?? "nowhere"}${target}`;
}

function changeNote({ reason, changedAt }: WordlessVerdict): string {
  if (changedAt === null || reason === "changed") return "";
  return `The ratio changed at ${timeText(changedAt)}; only later pairs are judged.`;
}

function latestNote({ latest }: SentenceNotes): string {
  if (latest === null) return "";
  const name = latest.deployment === null ? "The deployment without a name" : `Deployment ${latest.deployment}`;
  return `${name} was probed last and has only ${counted(latest.pairs, "pair")} so far.`;
}

function withoutEdgeNote({ reason }: WordlessVerdict, { isWithoutEdge }: SentenceNotes): string {
  if (!isWithoutEdge || reason === "no-edge") return "";
  return "The webhook runs on Node by now, so that no further pairs are sent.";
}

function p95Spread(interval: Interval | null): string {
  return interval === null ? "p95 is unknown" : `the edge's p95 is ${spread(interval, "lower", "higher")} than Node's`;
}

/** The page shows both p95s, however few pairs there are. */
function emulationNote({ reason }: WordlessVerdict, { isEmulated }: SentenceNotes): string {
  if (!isEmulated || reason === "emulated" || reason === "no-edge") return "";
  return "Outside Vercel the edge is Next's emulation in a Node process: its times say nothing about Vercel's edge.";
}

/** The interval as the edge's difference from Node: "between 12 % lower and 30 % higher". */
function spread([low, high]: Interval, under: string, over: string): string {
  const side = (ratio: number) => `${percent(Math.abs(1 / ratio - 1))} ${ratio >= 1 ? under : over}`;
  return `between ${side(high)} and ${side(low)}`;
}

function detectable(ratio: number | null): string {
  return ratio === null
    ? ""
    : `So many pairs would show a p95 that is ${percent(ratio - 1)} higher than the other in four cases of five.`;
}

/** By how much the faster is lower than the slower. */
function saving(ratio: number): number {
  return 1 - Math.min(ratio, 1 / ratio);
}

function savings(interval: Interval): string {
  const [least = 0, most = 0] = interval.map(saving).toSorted((a, b) => a - b);
  return `95\u00A0% interval: ${percent(least)} to ${percent(most)}`;
}

/** Its space breaks no line, so that a number keeps its unit. */
function percent(share: number): string {
  const value = share * 100;
  return `${value >= 9.95 ? countText(Math.round(value)) : value.toFixed(1)}\u00A0%`;
}

function counted(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function countText(count: number): string {
  return counts.format(count);
}

function timeText(at: string | null): string {
  return at === null ? "an unknown time" : `${at.slice(0, 16).replace("T", " ")} UTC`;
}
