import { findRule } from "#operations/alerts/alert-rules.ts";
import type { Database } from "#store/connection/database.ts";
import { readAlerts } from "#store/operators/alerts.ts";

/** An alert that fires. */
export interface FiringAlert {
  rule: string;
  title: string;
  /** Of a rule that judges several things, which of them; else empty. */
  scope: string;
  since: string;
  isAcknowledged: boolean;
}

/** The alerts that fire as of the last evaluation, those that are not acknowledged first. */
export async function readFiringAlerts(db: Database): Promise<FiringAlert[]> {
  const rows = await readAlerts(db);
  return rows
    .filter(({ level }) => level > 0)
    .map(({ rule, scope, since, changedAt, acknowledgedAt }) => ({
      rule,
      title: findRule(rule)?.title ?? rule,
      scope,
      since: (since ?? changedAt).toISOString(),
      isAcknowledged: acknowledgedAt !== null,
    }))
    .toSorted((a, b) => Number(a.isAcknowledged) - Number(b.isAcknowledged) || (a.since < b.since ? -1 : 1));
}
