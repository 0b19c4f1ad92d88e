import { describeCause } from "#platform/log.ts";
import { retainAlerts } from "#store/operators/alerts.ts";

import { readCondition } from "../condition/read-condition.ts";
import { publishTimeoutMs } from "../operations.ts";
import type { Alerting } from "./alerting.ts";
import { evaluateAlerts, type Evaluation } from "./evaluate-alerts.ts";
import { encodeNoticeMessage } from "./notice-message.ts";
import { sendNotices } from "./send-notices.ts";

/** The part of maintenance that evaluates the rules. */
export const alertsPart = "alerts";

/** Maintenance's part: sends what is still pending, and evaluates every rule. Throws `STORE_UNAVAILABLE`. */
export async function runAlerts(alerting: Alerting): Promise<Record<string, unknown>> {
  const pending = await sendNotices(alerting);
  const { changes, firing } = await evaluateNow(alerting);
  await retainAlerts(alerting.db, alerting.clock.nowMs());
  return { firing, changes: changes.length, ...pending };
}

/** Reads the condition, evaluates every rule, and sends what has changed. Throws `STORE_UNAVAILABLE`. */
export async function evaluateNow(alerting: Alerting): Promise<Evaluation> {
  const { db, clock, addresses, newId, queue, probePairsPerDay, log } = alerting;
  const condition = await readCondition(db, { nowMs: clock.nowMs(), queue, probePairsPerDay, log });
  const labels = addresses.map(({ label }) => label);
  const evaluation = await evaluateAlerts(db, condition, { addresses: labels, nowMs: clock.nowMs(), newId });
  for (const { rule, scope, change, level } of evaluation.changes) {
    const write = change === "firing" || change === "worse" ? log.error : log.info;
    write("alerts.changed", { rule, scope, change, level });
  }
  if (evaluation.noticeId !== null) await deliver(evaluation.noticeId, evaluation.isDirect, alerting);
  return evaluation;
}

/**
 * A message makes the queue's retries ours; it has only the notice's id, because addresses may be secrets. What is about
 * the queue, or what it does not accept, is sent from here. What is not sent now stays pending for maintenance.
 */
async function deliver(id: string, isDirect: boolean, alerting: Alerting): Promise<void> {
  const { publisher, log } = alerting;
  if (!isDirect) {
    try {
      const body = encodeNoticeMessage(id);
      const message = { to: "maintenance" as const, body, deduplicationId: `alert-${id}`, label: "alerts", retries: 3 };
      await publisher.publish(message, publishTimeoutMs);
      return;
    } catch (thrown) {
      log.warn("alerts.publish_failed", { notice: id, ...describeCause(thrown) });
    }
  }
  await sendNotices(alerting, id);
}
