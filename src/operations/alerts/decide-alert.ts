import * as v from "valibot";

import type { Clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import { instant } from "#platform/instant.ts";
import type { Log } from "#platform/log.ts";
import type { Database } from "#store/connection/database.ts";
import { changeAlerts } from "#store/operators/alerts.ts";
import type { AlertRow } from "#store/schema/alerts-schema.ts";

import { findRule } from "./alert-rules.ts";
import { newAlert } from "./alert-state.ts";

const scope = v.optional(
  v.pipe(v.string(), v.regex(/^[\w.-]{0,100}$/, "must be the id of a group or a kind of event")),
  "",
);

/** The bodies of `POST /api/ops/alerts/{rule}/acknowledge`, `…/mute` and `…/unmute`. Without a scope they mean the whole rule. */
export const acknowledgeRequest = v.strictObject({ scope });
export const muteRequest = v.strictObject({ scope, until: instant });
export const unmuteRequest = v.strictObject({ scope });

export interface DecideOptions {
  db: Database;
  clock: Clock;
  log: Log;
  actor: string;
}

/** An operator's decision about a rule, or one scope of it. */
export type AlertDecision =
  | { action: "acknowledge" | "unmute"; rule: string; scope: string }
  | { action: "mute"; rule: string; scope: string; until: Date };

/** A mute that the operators forget hides the next outage. */
const mutedMsMax = 30 * 24 * 60 * 60_000;

/**
 * Stores the decision; resolves with the scopes that it changed. Throws `NOT_FOUND` for an unknown rule, `CONFLICT` if nothing
 * of it fires or is muted, `REQUEST_INVALID` for a mute that ends in the past or in over 30 days, and `STORE_UNAVAILABLE`.
 */
export async function decideAlert(
  decision: AlertDecision,
  { db, clock, log, actor }: DecideOptions,
): Promise<string[]> {
  const { action, rule, scope: of } = decision;
  if (findRule(rule) === undefined)
    throw new RelayError("NOT_FOUND", "There is no such rule: GET /api/ops/alerts lists them");
  const nowMs = clock.nowMs();
  if (decision.action === "mute") requireEnd(decision.until, nowMs);
  const scopes = await changeAlerts(db, (before) => {
    const rows = before.filter((row) => row.rule === rule && (of === "" || row.scope === of));
    const changed = changeRows(rows, decision, { actor, nowMs });
    return { rows: changed, notices: [], result: changed.map((row) => row.scope) };
  });
  log.info("alerts.decided", { rule, action, scopes, actor });
  return scopes;
}

function changeRows(
  rows: readonly AlertRow[],
  decision: AlertDecision,
  { actor, nowMs }: { actor: string; nowMs: number },
): AlertRow[] {
  if (decision.action === "mute") {
    const { rule, scope: of, until } = decision;
    const row = rows.find((one) => one.scope === of) ?? newAlert(rule, of, nowMs);
    return [{ ...row, mutedUntil: until, mutedBy: actor }];
  }
  if (decision.action === "unmute") {
    const muted = rows.filter(({ mutedUntil }) => mutedUntil !== null && mutedUntil.getTime() > nowMs);
    if (muted.length === 0) throw new RelayError("CONFLICT", "It is not muted");
    return muted.map((row) => ({ ...row, mutedUntil: null, mutedBy: null }));
  }
  const firing = rows.filter(({ level }) => level > 0);
  if (firing.length === 0) throw new RelayError("CONFLICT", "It does not fire: there is nothing to acknowledge");
  return firing.map((row) => ({ ...row, acknowledgedAt: new Date(nowMs), acknowledgedBy: actor }));
}

function requireEnd(until: Date, nowMs: number): void {
  const ms = until.getTime() - nowMs;
  if (ms <= 0) throw new RelayError("REQUEST_INVALID", "until must be a time in the future");
  if (ms > mutedMsMax) throw new RelayError("REQUEST_INVALID", "until must be within 30 days");
}
