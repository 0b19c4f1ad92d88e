import type { Database } from "#store/connection/database.ts";
import { changeAlerts } from "#store/operators/alerts.ts";
import type { AlertRow } from "#store/schema/alerts-schema.ts";

import type { Condition } from "../condition/condition.ts";
import type { AlertRule } from "./alert-rule.ts";
import { alertRules } from "./alert-rules.ts";
import { type AlertChange, announce, type Judgement, newAlert, nextState } from "./alert-state.ts";

/** What a notice says of one rule and scope. */
export interface ChangedAlert {
  rule: string;
  scope: string;
  change: AlertChange;
  level: number;
  value: number | null;
  text: string;
  /** Since when it fires, or fired; ISO 8601. */
  since: string | null;
  /** Of a recovery: for how long its condition held. */
  durationMs: number | null;
}

export interface EvaluateOptions {
  /** The addresses that notices go to, by their labels; none: states change, and nothing is sent. */
  addresses: readonly string[];
  nowMs: number;
  /** A random UUID. */
  newId: () => string;
  /** Every rule unless given. */
  rules?: readonly AlertRule[];
}

export interface Evaluation {
  /** The notice that was stored for every address; null if there is nothing to say, or no address. */
  noticeId: string | null;
  /** Whether it must not go through the queue. */
  isDirect: boolean;
  changes: ChangedAlert[];
  firing: number;
}

/**
 * Judges the condition by every rule, and stores the states and, if anything changed, one notice about all of it. Two
 * evaluations at once send one notice. Throws `STORE_UNAVAILABLE`.
 */
export async function evaluateAlerts(
  db: Database,
  condition: Condition,
  { addresses, nowMs, newId, rules = alertRules }: EvaluateOptions,
): Promise<Evaluation> {
  return changeAlerts(db, (before) => {
    const evaluated = rules.flatMap((rule) => evaluateRule(rule, condition, { before, nowMs }));
    const changes = evaluated.flatMap(({ changed }) => (changed === null ? [] : [changed]));
    const noticeId = changes.length > 0 && addresses.length > 0 ? newId() : null;
    const rows = evaluated.map(({ state, changed }) => (changed === null ? state : { ...state, noticeId }));
    const notice = { at: new Date(nowMs), changes: JSON.stringify(changes) };
    const notices = noticeId === null ? [] : addresses.map((address) => ({ id: noticeId, address, ...notice }));
    const isDirect = rules.some(({ name, isDirect: direct }) => direct && changes.some(({ rule }) => rule === name));
    const firing = rows.filter(({ level }) => level > 0).length;
    return { rows, notices, result: { noticeId, isDirect, changes, firing } };
  });
}

interface Evaluated {
  state: AlertRow;
  changed: ChangedAlert | null;
}

function evaluateRule(
  { name, patience, judge }: AlertRule,
  condition: Condition,
  { before, nowMs }: { before: readonly AlertRow[]; nowMs: number },
): Evaluated[] {
  const rows = before.filter(({ rule }) => rule === name);
  // A mute of the whole rule holds for each of its scopes.
  const isRuleMuted = rows.some((row) => row.scope === "" && isMuted(row, nowMs));
  const judged = judge(condition, nowMs) ?? { scopes: [], others: null };
  const named = new Set(judged.scopes.map(({ scope }) => scope));
  const others = rows
    .filter(({ scope }) => !named.has(scope))
    .map(({ scope, text }): Judgement => ({ scope, level: judged.others, value: null, text }));
  return [...judged.scopes, ...others].flatMap((judgement) => {
    const row = rows.find(({ scope }) => scope === judgement.scope);
    // Nothing is to be remembered of what was never wrong.
    if (row === undefined && !judgement.level) return [];
    const state = nextState(row ?? newAlert(name, judgement.scope, nowMs), judgement, { patience, nowMs });
    const announced = announce(state, { isMuted: isRuleMuted || isMuted(state, nowMs), nowMs });
    return [{ state: announced.state, changed: describe(announced.state, announced.change) }];
  });
}

function isMuted({ mutedUntil }: AlertRow, nowMs: number): boolean {
  return mutedUntil !== null && mutedUntil.getTime() > nowMs;
}

function describe(
  { rule, scope, level, value, text, since, goodSince }: AlertRow,
  change: AlertChange | null,
): ChangedAlert | null {
  if (change === null) return null;
  const isOver = change === "recovered" && since !== null && goodSince !== null;
  const durationMs = isOver ? goodSince.getTime() - since.getTime() : null;
  return { rule, scope, change, level, value, text, since: since?.toISOString() ?? null, durationMs };
}
