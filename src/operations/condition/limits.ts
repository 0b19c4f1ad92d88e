/**
 * From where on a fact needs a person. The alert rules and the status page share these limits, so that the page never calls
 * well what an alert is about. An alert may come later than the page: rules have patience.
 */
import type { Condition, FailingHandler } from "./condition.ts";

const minuteMs = 60_000;
/** So long an event may be open, or a batch be at the queue. */
const waitingMsMax = 15 * minuteMs;
/** Maintenance runs every five minutes: so late, it has missed three times. */
const maintenanceMsMax = 15 * minuteMs;
/** After the last withheld ack, the next deliveries were kept. */
const withheldRecentMs = 10 * minuteMs;
/** Of few acks a single cold start would be one per cent. */
const acks = { min: 50, slowMin: 3, slowShareMax: 0.01 };

/** How long Meta's hour runs until it needs a person, and then until it is worse. */
export const metaHourLevelsMs: readonly number[] = [15 * minuteMs, 30 * minuteMs, 45 * minuteMs];

/** Of the calls of a handler the share that may fail, where at least `failuresMin` did; so many successes show that it works again. */
export const handlerFailures = { shareMax: 0.2, failuresMin: 5, successesMin: 3 };

/** The time since an instant; null for null. */
export function since(instant: string | null, nowMs: number): number | null {
  return instant === null ? null : nowMs - Date.parse(instant);
}

/** Whether something waits too long that began to wait at this instant. */
export function waitsTooLong(instant: string | null, nowMs: number): boolean {
  return (since(instant, nowMs) ?? 0) >= waitingMsMax;
}

/** What the queue has and the consumer has not ingested; nothing while ingestion is paused, because then it should wait. Null if unknown. */
export function heldAtQueue({ notIngested, pause }: Condition): Condition["notIngested"] {
  return pause?.since ? { count: 0, isCapped: false, since: null, last: null } : notIngested;
}

/** Whether deliveries are refused now because neither the queue nor the fallback keeps them. */
export function areAcksWithheld({ last }: NonNullable<Condition["acksWithheld"]>, nowMs: number): boolean {
  const ago = since(last, nowMs);
  return ago !== null && ago < withheldRecentMs;
}

/** How many of `metaHourLevelsMs` Meta's hour has reached. */
export function levelOfMetaHour({ isRunning, since: at }: NonNullable<Condition["metaHour"]>, nowMs: number): number {
  const ms = since(at, nowMs) ?? 0;
  return isRunning ? metaHourLevelsMs.filter((levelMs) => ms >= levelMs).length : 0;
}

/** Whether so many acks take over a second that it is no chance. */
export function areAcksSlow({ count, overOneSecond }: NonNullable<Condition["ack"]>): boolean {
  if (overOneSecond === null || count < acks.min) return false;
  return overOneSecond > acks.slowShareMax && overOneSecond * count >= acks.slowMin;
}

/**
 * Whether the handler of a kind works again: the last minutes had calls, and none of them failed. Its figures of 15 minutes show
 * the failures until then, and so does its alert, which would come and go with a handler that fails now and then.
 */
export function worksAgain({ succeededSince }: FailingHandler): boolean {
  return succeededSince >= handlerFailures.successesMin;
}

/** Whether the handler of a kind fails too often. */
export function failsTooOften({ failed, rate }: FailingHandler): boolean {
  return failed >= handlerFailures.failuresMin && rate >= handlerFailures.shareMax;
}

/** Whether maintenance has not run for too long; where it never ran, since the first delivery. */
export function isMaintenanceLate({ expectedFrom }: NonNullable<Condition["maintenance"]>, nowMs: number): boolean {
  const ms = since(expectedFrom, nowMs);
  return ms !== null && ms >= maintenanceMsMax;
}
