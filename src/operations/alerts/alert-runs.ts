import type { Clock } from "#platform/clock.ts";
import type { ForwardOutcome } from "#platform/delivery.ts";
import { describeCause, type Log } from "#platform/log.ts";
import { readParts } from "#store/operators/maintenance-parts.ts";

import type { Alerting } from "./alerting.ts";
import { alertsPart, evaluateNow } from "./run-alerts.ts";

export interface AlertRunsOptions {
  /** Throws `ENV_INVALID`. */
  open: () => Alerting;
  /** Adds what was measured to the figures; never rejects. */
  rollUp: () => Promise<void>;
  clock: Clock;
  log: Log;
}

export interface AlertRuns {
  /**
   * Evaluates the rules after reports with these outcomes: at once if a delivery was lost or refused, and if maintenance has
   * not evaluated them for ten minutes. Never rejects.
   */
  afterReports: (outcomes: readonly ForwardOutcome[]) => Promise<void>;
}

/** In an outage each delivery sends such a report. */
const everyMs = 10_000;
/** How often a process looks whether maintenance evaluates the rules, and how late it may be. */
const lookEveryMs = 5 * 60_000;
const overdueMs = 10 * 60_000;

/**
 * Creates the evaluations of a process that do not wait for maintenance. They are also what notices that maintenance does not
 * run: as long as deliveries arrive, a tenth of them sends reports.
 */
export function createAlertRuns({ open, rollUp, clock, log }: AlertRunsOptions): AlertRuns {
  const dueAt = { lost: -Infinity, refused: -Infinity, look: clock.monotonicMs() + lookEveryMs };

  function take(name: keyof typeof dueAt, forMs: number): boolean {
    if (clock.monotonicMs() < dueAt[name]) return false;
    dueAt[name] = clock.monotonicMs() + forMs;
    return true;
  }

  async function isOverdue(alerting: Alerting): Promise<boolean> {
    const part = (await readParts(alerting.db)).find(({ name }) => name === alertsPart);
    return part === undefined || clock.nowMs() - part.ranAt.getTime() > overdueMs;
  }

  return {
    async afterReports(outcomes) {
      const isUrgent = (["lost", "refused"] as const).some((name) => outcomes.includes(name) && take(name, everyMs));
      if (!isUrgent && !take("look", lookEveryMs)) return;
      try {
        const alerting = open();
        if (!isUrgent && !(await isOverdue(alerting))) return;
        await rollUp();
        await evaluateNow(alerting);
      } catch (thrown) {
        log.warn("alerts.evaluation_failed", describeCause(thrown));
      }
    },
  };
}
