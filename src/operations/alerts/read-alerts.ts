import type { Database } from "#store/connection/database.ts";
import { readAlerts, readNotices } from "#store/operators/alerts.ts";
import { readParts } from "#store/operators/maintenance-parts.ts";
import type { AlertRow } from "#store/schema/alerts-schema.ts";

import type { Condition } from "../condition/condition.ts";
import type { AlertAddress } from "./alert-address.ts";
import { type AlertRule } from "./alert-rule.ts";
import { alertRules } from "./alert-rules.ts";
import type { Judgement } from "./alert-state.ts";
import { alertsPart } from "./run-alerts.ts";

/** `pending`: its condition holds, and not yet for long enough. `unknown`: what it judges is not known. */
export type AlertStateName = "ok" | "pending" | "firing" | "acknowledged" | "unknown";

export interface ScopeStatus {
  scope: string;
  state: AlertStateName;
  level: number;
  /** Now, in the rule's unit; null where there is no figure. */
  value: number | null;
  text: string;
  /** Since when it fires. */
  since: string | null;
  changedAt: string | null;
  acknowledgedAt: string | null;
  acknowledgedBy: string | null;
  /** Null if it is not muted now. */
  mutedUntil: string | null;
  mutedBy: string | null;
  lastNotice: NoticeStatus | null;
}

export interface NoticeStatus {
  id: string;
  at: string;
  /** For each address whether it was sent, and what the last attempt met with. */
  results: { address: string; state: "pending" | "sent" | "failed"; attempts: number; result: string | null }[];
}

export interface RuleStatus extends Omit<ScopeStatus, "scope"> {
  rule: string;
  title: string;
  severity: AlertRule["severity"];
  unit: AlertRule["unit"];
  threshold: string;
  advice: string;
  href: string;
  /** Of a rule with scopes those that are known; the rule's own state is the worst of theirs. */
  scopes: (ScopeStatus & { href: string })[];
}

export interface AlertsStatus {
  asOf: string;
  /** When maintenance last evaluated the rules; null if never. */
  evaluatedAt: string | null;
  addresses: Pick<AlertAddress, "label" | "form">[];
  rules: RuleStatus[];
}

export interface ReadAlertsOptions {
  condition: Condition;
  addresses: readonly AlertAddress[];
  nowMs: number;
}

/** Every rule with its state as of the last evaluation and its value as of now. Rejects with the driver's error. */
export async function readAlertsStatus(db: Database, options: ReadAlertsOptions): Promise<AlertsStatus> {
  const { condition, addresses, nowMs } = options;
  const [rows, parts] = await Promise.all([readAlerts(db), readParts(db)]);
  const notices = await readNoticesOf(db, rows);
  const context = { nowMs, notices };
  return {
    asOf: condition.asOf,
    evaluatedAt: parts.find(({ name }) => name === alertsPart)?.ranAt.toISOString() ?? null,
    addresses: addresses.map(({ label, form }) => ({ label, form })),
    rules: alertRules.map((rule) =>
      describeRule(
        rule,
        rows.filter((row) => row.rule === rule.name),
        { ...context, condition },
      ),
    ),
  };
}

async function readNoticesOf(db: Database, rows: readonly AlertRow[]): Promise<ReadonlyMap<string, NoticeStatus>> {
  const ids = [...new Set(rows.flatMap(({ noticeId }) => noticeId ?? []))];
  const notices = new Map<string, NoticeStatus>();
  for (const { id, at, address, state, attempts, result } of await readNotices(db, ids)) {
    const notice = notices.get(id) ?? { id, at: at.toISOString(), results: [] };
    notice.results.push({ address, state: state as "pending" | "sent" | "failed", attempts, result });
    notices.set(id, notice);
  }
  return notices;
}

interface Context {
  nowMs: number;
  notices: ReadonlyMap<string, NoticeStatus>;
}

const order: readonly AlertStateName[] = ["firing", "acknowledged", "pending", "unknown", "ok"];

function describeRule(
  { name, title, severity, unit, threshold, advice, path, judge }: AlertRule,
  rows: readonly AlertRow[],
  { condition, ...context }: Context & { condition: Condition },
): RuleStatus {
  const judged = judge(condition, context.nowMs);
  const judgements = judged?.scopes ?? [];
  const scopes = [...new Set([...judgements, ...rows].map(({ scope }) => scope))].map((scope) =>
    describeScope(scope, judgements.find((one) => one.scope === scope) ?? null, {
      row: rows.find((one) => one.scope === scope) ?? null,
      isKnown: judged !== null,
      ...context,
    }),
  );
  const own = scopes.find(({ scope }) => scope === "");
  const parts = scopes.filter(({ scope }) => scope !== "");
  const shown = parts.filter(({ state, mutedUntil }) => state !== "ok" || mutedUntil !== null);
  const worst = shown.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))[0];
  const { scope: _scope, ...status } =
    worst ?? own ?? describeScope("", null, { row: null, isKnown: judged !== null, ...context });
  const mute = own === undefined ? {} : { mutedUntil: own.mutedUntil, mutedBy: own.mutedBy };
  return {
    rule: name,
    title,
    severity,
    unit,
    threshold,
    advice,
    href: path(""),
    ...status,
    ...mute,
    scopes: shown.map((scope) => ({ ...scope, href: path(scope.scope) })),
  };
}

function describeScope(
  scope: string,
  judgement: Judgement | null,
  { row, isKnown, nowMs, notices }: Context & { row: AlertRow | null; isKnown: boolean },
): ScopeStatus {
  const isMuted = row?.mutedUntil != null && row.mutedUntil.getTime() > nowMs;
  const iso = (date: Date | null | undefined) => date?.toISOString() ?? null;
  return {
    scope,
    state: stateOf(row, judgement, isKnown),
    level: row?.level ?? 0,
    value: judgement?.value ?? null,
    text: judgement?.text ?? (isKnown ? (row?.text ?? "Nothing is wrong.") : "Not known."),
    since: iso(row?.since !== undefined && (row?.level ?? 0) > 0 ? row?.since : null),
    changedAt: iso(row?.since === null ? null : row?.changedAt),
    acknowledgedAt: iso(row?.acknowledgedAt),
    acknowledgedBy: row?.acknowledgedBy ?? null,
    mutedUntil: isMuted ? iso(row?.mutedUntil) : null,
    mutedBy: isMuted ? (row?.mutedBy ?? null) : null,
    lastNotice: notices.get(row?.noticeId ?? "") ?? null,
  };
}

function stateOf(row: AlertRow | null, judgement: Judgement | null, isKnown: boolean): AlertStateName {
  if (row !== null && row.level > 0) return row.acknowledgedAt === null ? "firing" : "acknowledged";
  if (!isKnown || (judgement !== null && judgement.level === null)) return "unknown";
  return judgement?.level ? "pending" : "ok";
}
