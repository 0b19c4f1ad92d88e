import { mayPass } from "#platform/bounded-fetch.ts";
import { encoder } from "#platform/bytes.ts";
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
   * Sends a report with the probability `sampleRate`; `describe` is called only for one that is sent. Resolves when it has
   * been sent, or given up, within a second of the call. Never rejects.
   */
  report(sampleRate: number, describe: () => Omit<ForwardReport, "sampleRate">): Promise<void>;
  /**
   * Counts a refusal. Returns the report of all refusals until it is sent, which is bounded in time and never rejects;
   * undefined if such a report is due already.
   */
  countRefusal(reason: string): Promise<void> | undefined;
}

/** Reporting is the last step of an invocation and must not prolong it. */
const limitMs = 1_000;
/** A flood of refusals causes one request in this time. */
const refusalsEveryMs = 3_000;
/** Failures whose report could not be sent are reported with a later one; the newest are kept. */
const unsentMax = 100;
/** The most reports that wait for a request, so that memory is bounded. */
const outboxMax = 2_000;

/**
 * Sends reports to the route that stores them. One request is under way at a time; reports that come meanwhile share the
 * next. Each caller gets a promise for it and must pass that to its own `waitUntil`: a promise that one invocation has
 * registered keeps no other invocation alive. No caller waits longer than a second, even if a request ended with its
 * invocation.
 */
export function createReporter({ runtime, readCall, random, clock, log }: ReporterOptions): Reporter {
  let outbox: ForwardReport[] = [];
  let counts: Record<string, number> = {};
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  /** Of the latest caller that waits for the next request; on the monotonic clock, as `refusalsDueAt`. */
  let deadline = 0;
  /** A time, not a flag: the invocation that waits for it may end before it resets a flag. */
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
      const body = encoder.encode(JSON.stringify({ reports, refusals }));
      const { status } = await postInternal(body, Math.max(1, deadline - clock.monotonicMs()), readCall());
      if (status === 200) {
        log.debug("reports.sent", { reports: reports.length });
        return true;
      }
      why = { status };
      // A refused request would be refused again, and the reports sent with it too.
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
    // Refusals alone do not prolong this: a flood would never let it end.
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
    async report(sampleRate, describe) {
      const isSampledOut = random() >= sampleRate;
      if (!isSampledOut && outbox.length < outboxMax) outbox.push({ ...describe(), sampleRate });
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
