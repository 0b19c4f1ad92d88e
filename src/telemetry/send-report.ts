import type { Clock } from "#platform/clock.ts";
import { internalSignatureHeader, signInternal } from "#platform/internal-signature.ts";
import { describeCause, type Log } from "#platform/log.ts";

import type { ForwardReport } from "./report.ts";

export interface SendReportOptions {
  /** The address of our own Node route. */
  url: string;
  secret: string;
  /** Lets the call pass Vercel's Deployment Protection; null without it. */
  bypassSecret: string | null;
  timeoutMs: number;
  fetch: typeof fetch;
  clock: Clock;
  log: Log;
}

/** Sends what a forward did to where it is stored. Bounded in time and never rejects: a lost report is only a gap in a chart. */
export async function sendReport(report: ForwardReport, options: SendReportOptions): Promise<void> {
  const { url, secret, bypassSecret, timeoutMs, fetch, clock, log } = options;
  const abort = new AbortController();
  const cancelTimer = clock.after(timeoutMs, () => abort.abort());
  try {
    const body = new TextEncoder().encode(JSON.stringify(report));
    const response = await fetch(url, {
      method: "POST",
      redirect: "manual",
      signal: abort.signal,
      body,
      headers: {
        "content-type": "application/json",
        [internalSignatureHeader]: await signInternal(secret, body, clock.nowMs()),
        ...(bypassSecret === null ? {} : { "x-vercel-protection-bypass": bypassSecret }),
      },
    });
    // An unread body holds its connection.
    await response.arrayBuffer();
    if (response.ok) log.info("report.sent");
    else log.warn("report.failed", { status: response.status });
  } catch (thrown) {
    log.warn("report.failed", { timedOut: abort.signal.aborted, ...describeCause(thrown) });
  } finally {
    cancelTimer();
  }
}
