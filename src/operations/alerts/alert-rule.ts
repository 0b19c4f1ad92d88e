import type { Condition } from "../condition/condition.ts";
import type { Judgement, Patience } from "./alert-state.ts";

/** What a rule says of the relay's condition. */
export interface RuleJudgement {
  scopes: Judgement[];
  /** Of the scopes that are not named: 0 if their condition is over, null if that is not known. */
  others: 0 | null;
}

export interface AlertRule {
  name: string;
  /** What has happened, while it fires. */
  title: string;
  severity: "critical" | "warning";
  unit: "count" | "ms" | "share";
  /** When it fires, in words. */
  threshold: string;
  /** What to do, in a sentence; the runbook of docs/OPERATIONS.md says more under `alert-<name>`. */
  advice: string;
  /** The page with the list, under RELAY_URL. */
  path: (scope: string) => string;
  patience: Patience;
  /** Whether its message must not go through the queue, because the queue may be what fails. */
  isDirect: boolean;
  /** Null if what it judges is not known: then it neither fires nor is resolved. */
  judge: (condition: Condition, nowMs: number) => RuleJudgement | null;
}

/** The judgement of a rule without scopes. */
export function one(level: number | null, value: number | null, text: string): RuleJudgement {
  return { scopes: [{ scope: "", level, value, text }], others: 0 };
}

const minuteMs = 60_000;

/** Fires at once, and is resolved when nothing was wrong for ten minutes: at two evaluations at least. */
export const atOnce: Patience = { firesAfterMs: 0, resolvesAfterMs: 10 * minuteMs };

/** Fires at the second evaluation, five minutes after the first: what passes by itself is not sent. */
export const atSecond: Patience = { firesAfterMs: 4 * minuteMs, resolvesAfterMs: 10 * minuteMs };

/** An instant for a sentence: `2026-11-25 22:00 UTC`. */
export function describeInstant(iso: string): string {
  return `${iso.slice(0, 16).replace("T", " ")} UTC`;
}

/** A share as a percentage, with a digit after the point below ten. */
export function percent(share: number): string {
  const value = share * 100;
  return `${value >= 10 ? Math.round(value) : Math.round(value * 10) / 10} %`;
}

/** A name of the user's own code: without what could break a line or hide text, and not too long. */
export function safeName(name: string): string {
  return name.replaceAll(/[\p{C}\p{Z}]+/gu, " ").slice(0, 60);
}
