import type { AlertRow } from "#store/schema/alerts-schema.ts";

/** What a rule says of its facts. A level of null: they neither fire it nor resolve it. */
export interface Judgement {
  /** A group of dead letters, a kind of event; empty for rules without one. */
  scope: string;
  level: number | null;
  /** In the rule's unit; null where there is no one figure. */
  value: number | null;
  /** One sentence with the figures. */
  text: string;
}

/** How long a rule's condition has to hold until it fires, and not to hold until it is resolved. */
export interface Patience {
  firesAfterMs: number;
  resolvesAfterMs: number;
}

/** What receivers are sent: at most one for each transition, and one reminder. */
export type AlertChange = "firing" | "worse" | "reminder" | "recovered";

/** After so long one reminder is sent of what is neither acknowledged nor muted. */
export const reminderMs = 4 * 60 * 60_000;

/** The state of a rule that has never fired. */
export function newAlert(rule: string, scope: string, nowMs: number): AlertRow {
  const now = new Date(nowMs);
  return {
    rule,
    scope,
    level: 0,
    announced: 0,
    value: null,
    text: "",
    badSince: null,
    goodSince: null,
    since: null,
    checkedAt: now,
    changedAt: now,
    announcedAt: null,
    remindedAt: null,
    acknowledgedAt: null,
    acknowledgedBy: null,
    mutedUntil: null,
    mutedBy: null,
    noticeId: null,
  };
}

/** The state after one evaluation. */
export function nextState(
  before: AlertRow,
  { level, value, text }: Judgement,
  { patience, nowMs }: { patience: Patience; nowMs: number },
): AlertRow {
  const now = new Date(nowMs);
  const seen = { ...before, checkedAt: now };
  if (level === null) return seen;
  if (level > 0) {
    const badSince = before.badSince ?? now;
    const bad = { ...seen, value, text, badSince, goodSince: null };
    const isPatient = before.level === 0 && nowMs - badSince.getTime() < patience.firesAfterMs;
    if (isPatient || level <= before.level) return bad;
    const since = before.level === 0 ? badSince : before.since;
    // What was acknowledged was less bad.
    return { ...bad, level, since, changedAt: now, remindedAt: null, acknowledgedAt: null, acknowledgedBy: null };
  }
  const goodSince = before.goodSince ?? now;
  const good = { ...seen, badSince: null, goodSince };
  if (before.level === 0) return { ...good, value, text };
  // Until it is resolved, the figures that it fired with stay.
  if (nowMs - goodSince.getTime() < patience.resolvesAfterMs) return good;
  return { ...good, level: 0, value, text, changedAt: now, acknowledgedAt: null, acknowledgedBy: null };
}

/**
 * What receivers are to be sent of a state, and the state after that: nothing while it is muted. What began to fire while
 * it was muted is sent when the mute ends; what ended meanwhile never is.
 */
export function announce(
  state: AlertRow,
  { isMuted, nowMs }: { isMuted: boolean; nowMs: number },
): { state: AlertRow; change: AlertChange | null } {
  const { level, announced, announcedAt, remindedAt, acknowledgedAt } = state;
  if (isMuted) return { state: level === 0 ? { ...state, announced: 0 } : state, change: null };
  const now = new Date(nowMs);
  const sent = (change: AlertChange) => ({ state: { ...state, announced: level, announcedAt: now }, change });
  if (level > announced) return sent(announced === 0 ? "firing" : "worse");
  if (level === 0) return announced === 0 ? { state, change: null } : sent("recovered");
  const isDue = remindedAt === null && acknowledgedAt === null && nowMs - (announcedAt ?? now).getTime() >= reminderMs;
  return isDue ? { state: { ...state, remindedAt: now }, change: "reminder" } : { state, change: null };
}
