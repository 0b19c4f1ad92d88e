import { sleep } from "#platform/clock.ts";
import { errorResponse, toRelayError } from "#platform/errors.ts";
import { type InternalCallOptions, postInternal } from "#platform/post-internal.ts";
import { readInternal } from "#platform/read-internal.ts";
import { describeCause, type Log } from "#platform/log.ts";

import { beginWork, type Schedulers } from "./begin-work.ts";
import type { LifecycleMark, LifecycleRuntime } from "./experiment.ts";
import { parseRunRequest, type RunAnswer } from "./wire.ts";

/** Where marks go, and with which secret, which is also that of the calls to here. */
export type MarkSettings = Pick<InternalCallOptions, "url" | "secret" | "bypassSecret">;

export interface RunHandlerOptions extends Pick<InternalCallOptions, "fetch" | "clock"> {
  runtime: LifecycleRuntime;
  region: string | null;
  schedulers: Schedulers;
  /** Throws `ENV_INVALID` if something is missing. */
  readSettings: () => MarkSettings;
  log: Log;
}

/** For an attempt: the edge's last work is due after 18 s at most, and has 25 s. */
const markTimeoutMs = 3_000;
const markRetryMs = 500;

/** Begins a run's work by the strategy that is asked for and answers; in what becomes of it the experiment consists. */
export async function handleLifecycleRun(request: Request, options: RunHandlerOptions): Promise<Response> {
  const { runtime, region, schedulers, readSettings, clock, log } = options;
  try {
    const settings = readSettings();
    const readSecret = () => settings.secret;
    const body = await readInternal(request, { readSecret, bytesMax: 10_000, timeoutMs: 5_000, clock });
    const { experimentId, strategy, dueAfterMs } = parseRunRequest(body);
    const startedAtMs = clock.nowMs();
    const answer = (status: RunAnswer["status"]) =>
      Response.json({ status, startedAtMs, region } satisfies RunAnswer, { headers: { "cache-control": "no-store" } });

    const work = async () => {
      await sleep(clock, Math.max(0, startedAtMs + dueAfterMs - clock.nowMs()));
      await leaveMark({ experimentId, runtime, strategy }, settings, options);
    };
    try {
      await beginWork(strategy, work, { schedulers, clock });
    } catch (thrown) {
      log.info("request.failed", { to: strategy, runtime, ...describeCause(thrown) });
      return answer("unavailable");
    }
    return answer("started");
  } catch (thrown) {
    const error = toRelayError(thrown);
    log.warn("request.failed", { code: error.code, reason: error.message, ...describeCause(error.cause ?? error) });
    return errorResponse(error);
  }
}

/** A round trip, so that work which is only let run to its next pause does not get done. Never rejects. */
async function leaveMark(
  mark: LifecycleMark,
  settings: MarkSettings,
  { fetch, clock, log }: RunHandlerOptions,
): Promise<void> {
  const fields = { to: "lifecycle-marks", runtime: mark.runtime, strategy: mark.strategy };
  const body = new TextEncoder().encode(JSON.stringify(mark));
  const post = async () => {
    try {
      const { status, text } = await postInternal(body, markTimeoutMs, { ...settings, fetch, clock });
      if (status === 200 && text === '{"recorded":true}') return true;
      log.warn("request.failed", { ...fields, status });
      // Answered with 200 it is nobody's mark: of another database, or of an experiment that is forgotten.
      return status === 200;
    } catch (thrown) {
      log.warn("request.failed", { ...fields, ...describeCause(thrown) });
      return false;
    }
  };
  if (await post()) return;
  await sleep(clock, markRetryMs);
  await post();
}
