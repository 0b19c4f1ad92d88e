import { Cron } from "croner";

const charactersMax = 256;

/** Computes when a schedule is due next. */
export interface CronTimes {
  /** The first time after `afterMs`; `undefined` if there is none, as on 31 February. */
  next(afterMs: number): number | undefined;
}

/**
 * Understands `0 9 * * 1`, with `CRON_TZ=Europe/Berlin ` before it if the times are not in UTC. `undefined` if it is no
 * cron expression of five fields, names an unknown time zone or is never due.
 */
export function parseCron(text: string, nowMs: number): CronTimes | undefined {
  if (text.length > charactersMax) return undefined;
  const match = /^(?:CRON_TZ=(\S+)\s+)?(.+)$/.exec(text.trim());
  if (!match) return undefined;
  const [, timezone = "UTC", pattern = ""] = match;
  // croner would take a date for a time to run once.
  if (pattern.split(/\s+/).length !== 5) return undefined;
  try {
    const cron = new Cron(pattern, { timezone, mode: "5-part", paused: true });
    const next = (afterMs: number) => cron.nextRun(new Date(afterMs))?.getTime();
    return next(nowMs) === undefined ? undefined : { next };
  } catch {
    return undefined;
  }
}
