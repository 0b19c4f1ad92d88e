import { type InternalCallOptions, postInternal } from "#platform/internal-call.ts";
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

/**
 * Sends reports to where they are stored. One request is under way at a time; what comes meanwhile goes together in the
 * next. All who wait for it get its promise, and each must give it to a `waitUntil` of its own: what one invocation has
 * registered keeps no other alive.
 */
export function createReporter(options: ReporterOptions): Reporter {
  const { sampleRate, random, clock, log } = options;
  let unsent: ForwardReport[] = [];
  let last: Promise<void> = Promise.resolve();
  let open: { reports: ForwardReport[]; sent: Promise<void> } | undefined;

  /** A request to come, which takes reports until the one before it is done. */
  function openRequest() {
    const deadline = clock.monotonicMs() + limitMs;
    const reports: ForwardReport[] = [];
    const request = {
      reports,
      sent: last.then(() => {
        if (open === request) open = undefined;
        return send([...unsent.splice(0), ...reports], deadline - clock.monotonicMs());
      }),
    };
    last = request.sent;
    return request;
  }

  async function send(reports: readonly ForwardReport[], timeoutMs: number): Promise<void> {
    const giveUp = (why: LogFields) => {
      const failures = reports.filter(({ outcome }) => outcome !== "published");
      unsent = [...unsent, ...failures].slice(-unsentMax);
      log.warn("reports.failed", { reports: reports.length, unsent: unsent.length, ...why });
    };
    try {
      const body = new TextEncoder().encode(JSON.stringify({ reports }));
      const { status } = await postInternal(body, Math.max(0, timeoutMs), options);
      if (status === 200) log.info("reports.sent", { reports: reports.length });
      else giveUp({ status });
    } catch (thrown) {
      giveUp(describeCause(thrown));
    }
  }

  return async (report) => {
    if (report.outcome === "published" && random() >= sampleRate) return;
    if (open === undefined || open.reports.length >= reportsMax) open = openRequest();
    open.reports.push(report);
    await open.sent;
  };
}
