import { settleWithin } from "#platform/clock.ts";
import { type InternalCallOptions, postInternal } from "#platform/post-internal.ts";
import { describeCause, type Log, type LogFields } from "#platform/log.ts";

import { type ForwardReport, reportsMax } from "./report.ts";

export interface ReporterOptions extends InternalCallOptions {
  /** The share of successful forwards that send a report; failures always do. */
  sampleRate: number;
  /** Uniform in [0, 1). */
  random: () => number;
  log: Log;
}

/** Resolves when the report has been sent, or given up, within a second of the call. Never rejects. */
export type Reporter = (report: ForwardReport) => Promise<void>;

/** A report is the last thing an invocation does and must not keep it. */
const limitMs = 1_000;
/** Reports of failures that could not be sent go with a later one, the newest of them: what is down is often both. */
const unsentMax = 100;

/** Reports that go together in one request to come; it takes more of them until the one before it is done. */
interface Sharing {
  reports: ForwardReport[];
  /** The latest of those who wait for it. On the monotonic clock. */
  deadline: number;
  sent: Promise<void>;
}

/**
 * Sends reports to where they are stored. One request is under way at a time; what comes meanwhile goes together in the
 * next. All who wait for it get its promise, and each must give it to a `waitUntil` of its own: what one invocation has
 * registered keeps no other alive. Nobody waits longer than a second, also for a request that ended with its invocation.
 */
export function createReporter(options: ReporterOptions): Reporter {
  const { sampleRate, random, clock, log } = options;
  let unsent: ForwardReport[] = [];
  let last: Promise<unknown> = Promise.resolve();
  let open: Sharing | undefined;

  function openSharing(): Sharing {
    const before = last;
    const sharing: Sharing = { reports: [], deadline: 0, sent: Promise.resolve() };
    sharing.sent = settleWithin(clock, limitMs, before).then(() => {
      if (open === sharing) open = undefined;
      return send([...unsent.splice(0), ...sharing.reports], sharing.deadline - clock.monotonicMs());
    });
    last = sharing.sent;
    return sharing;
  }

  async function send(reports: readonly ForwardReport[], timeoutMs: number): Promise<void> {
    const giveUp = (why: LogFields, mayPass: boolean) => {
      const failures = mayPass ? reports.filter(({ outcome }) => outcome !== "published") : [];
      unsent = [...unsent, ...failures].slice(-unsentMax);
      log.warn("reports.failed", { reports: reports.length, unsent: unsent.length, ...why });
    };
    try {
      const body = new TextEncoder().encode(JSON.stringify({ reports }));
      const { status } = await postInternal(body, Math.max(1, timeoutMs), options);
      if (status === 200) log.info("reports.sent", { reports: reports.length });
      // Refused once, it would be refused again, with all that goes with it.
      else giveUp({ status }, status === 408 || status === 429 || status >= 500);
    } catch (thrown) {
      giveUp(describeCause(thrown), true);
    }
  }

  return async (report) => {
    const isSampledOut = report.outcome === "published" && random() >= sampleRate;
    if (isSampledOut && unsent.length === 0) return;
    if (open === undefined || open.reports.length >= reportsMax) open = openSharing();
    const sharing = open;
    if (!isSampledOut) sharing.reports.push(report);
    sharing.deadline = clock.monotonicMs() + limitMs;
    await settleWithin(clock, limitMs, sharing.sent);
  };
}
