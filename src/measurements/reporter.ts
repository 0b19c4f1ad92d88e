import { mayPass } from "#platform/bounded-fetch.ts";
import { type Clock, settleWithin, sleep } from "#platform/clock.ts";
import { describeCause, type Log, type LogFields } from "#platform/log.ts";
import { type InternalCallOptions, postInternal } from "#platform/post-internal.ts";

import { type ForwardReport, type RefusalCounts, reportsMax } from "./report.ts";

export interface ReporterOptions {
  runtime: RefusalCounts["runtime"];
  /** Where reports go. Throws `ENV_INVALID` if that is not configured: then nothing is reported, and health says so. */
  readCall: () => InternalCallOptions;
  /** Uniform in [0, 1). */
  random: () => number;
  clock: Clock;
  log: Log;
}

export interface Reporter {
  /**
   * Resolves when the report has been sent, or given up, within a second of the call. Never rejects. `sampleRate`: the
   * share of successful forwards that send a report; failures always do.
   */
  report(report: ForwardReport, sampleRate: number): Promise<void>;
  /**
   * Counts a refusal. Returns the report of all that come until it is sent, which is bounded in time and never rejects;
   * undefined if one is due already.
   */
  countRefusal(reason: string): Promise<void> | undefined;
}

/** A report is the last thing an invocation does and must not keep it. */
const limitMs = 1_000;
/** A flood of refusals costs one request in so long. */
const refusalsEveryMs = 3_000;
/** Reports of failures that could not be sent go with a later one, the newest of them: what is down is often both. */
const unsentMax = 100;
/** Of what waits for a request, so that the memory holds it whatever happens. */
const outboxMax = 2_000;

/**
 * Sends reports to where they are stored. One request is under way at a time; what comes meanwhile goes together in the
 * next. All who wait for it get its promise, and each must give it to a `waitUntil` of its own: what one invocation has
 * registered keeps no other alive. Nobody waits longer than a second, also for a request that ended with its invocation.
 */
export function createReporter({ runtime, readCall, random, clock, log }: ReporterOptions): Reporter {
  let outbox: ForwardReport[] = [];
  let counts: Record<string, number> = {};
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  /** Of the latest caller that waits for the next request. On the monotonic clock, as the other. */
  let deadline = 0;
  /** A time and no flag: what waits for it may end with its invocation. */
  let refusalsDueAt = -Infinity;

  async function send(): Promise<boolean> {
    const reports = outbox.splice(0, reportsMax);
    const counted = counts;
    counts = {};
    if (reports.length + Object.keys(counted).length === 0) return true;
    let why: LogFields;
    let canRepeat = true;
    try {
      const refusals: RefusalCounts = { runtime, atMs: clock.nowMs(), counts: counted };
      const body = new TextEncoder().encode(JSON.stringify({ reports, refusals }));
      const { status } = await postInternal(body, Math.max(1, deadline - clock.monotonicMs()), readCall());
      if (status === 200) {
        log.info("reports.sent", { reports: reports.length });
        return true;
      }
      why = { status };
      // Refused once, it would be refused again, with all that goes with it.
      canRepeat = mayPass(status);
    } catch (thrown) {
      why = describeCause(thrown);
    }
    if (canRepeat) {
      outbox = [...reports.filter(({ outcome }) => outcome !== "published").slice(-unsentMax), ...outbox];
      for (const [reason, count] of Object.entries(counted)) add(reason, count);
    }
    log.warn("reports.failed", { reports: reports.length, unsent: outbox.length, ...why });
    return false;
  }

  async function sendAll(): Promise<void> {
    // Not for the sake of refusals: a flood would keep it going.
    while ((await send()) && outbox.length > 0);
  }

  async function flush(): Promise<void> {
    deadline = clock.monotonicMs() + limitMs;
    next ??= settleWithin(clock, limitMs, last).then(() => {
      next = undefined;
      last = sendAll();
      return last;
    });
    await settleWithin(clock, limitMs, next);
  }

  function add(reason: string, count: number): void {
    counts[reason] = (counts[reason] ?? 0) + count;
  }

  return {
    async report(report, sampleRate) {
      const isSampledOut = report.outcome === "published" && random() >= sampleRate;
      if (!isSampledOut && outbox.length < outboxMax) outbox.push(report);
      if (outbox.length > 0) await flush();
    },
    countRefusal(reason) {
      add(reason, 1);
      const nowMs = clock.monotonicMs();
      if (refusalsDueAt > nowMs) return undefined;
      refusalsDueAt = Math.max(nowMs, refusalsDueAt + refusalsEveryMs);
      return sleep(clock, refusalsDueAt - nowMs).then(flush);
    },
  };
}
