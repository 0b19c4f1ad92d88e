// What alerts are evaluated and sent with.
import { type Condition } from "#operations/condition/condition.ts";
import { readCondition } from "#operations/condition/read-condition.ts";
import { createAlertAddresses } from "#operations/alerts/alert-address.ts";
import { createAlertRuns } from "#operations/alerts/alert-runs.ts";
import type { Alerting } from "#operations/alerts/alerting.ts";
import { type AlertsStatus, readAlertsStatus } from "#operations/alerts/read-alerts.ts";
import { readEnv } from "#platform/env.ts";

import { clock, log } from "./log.ts";
import { getDatabase, getReads } from "./database.ts";
import { capabilities, openMessagePublisher } from "./queue/queue.ts";
import { rollUps } from "./services.ts";

/** Throws `ENV_INVALID`. */
export function openAlerting(): Alerting {
  const env = readEnv(process.env, ["ALERT_WEBHOOK_URL", "RELAY_SECRET", "RELAY_URL", "PROBE_PAIRS_PER_DAY"]);
  return {
    db: getDatabase(),
    addresses: createAlertAddresses(env.ALERT_WEBHOOK_URL),
    secret: env.RELAY_SECRET[0],
    relayUrl: env.RELAY_URL[0],
    publisher: openMessagePublisher(),
    queue: capabilities,
    probePairsPerDay: env.PROBE_PAIRS_PER_DAY,
    newId: () => crypto.randomUUID(),
    fetch,
    clock,
    log,
  };
}

/** One for the process, so that its evaluations know of each other. */
export const alertRuns = createAlertRuns({ open: openAlerting, rollUp: rollUps.now, clock, log });

/** The relay's condition now, with what was measured a moment ago. Throws `ENV_INVALID`. */
export async function readConditionNow(): Promise<Condition> {
  const { PROBE_PAIRS_PER_DAY: probePairsPerDay } = readEnv(process.env, ["PROBE_PAIRS_PER_DAY"]);
  await rollUps.now();
  return readCondition(getReads(), { nowMs: clock.nowMs(), queue: capabilities, probePairsPerDay, log });
}

/** Every rule with its state. Throws `ENV_INVALID`. */
export async function readAlertsNow(): Promise<AlertsStatus> {
  const { ALERT_WEBHOOK_URL: urls } = readEnv(process.env, ["ALERT_WEBHOOK_URL"]);
  const condition = await readConditionNow();
  return readAlertsStatus(getReads(), { condition, addresses: createAlertAddresses(urls), nowMs: clock.nowMs() });
}
