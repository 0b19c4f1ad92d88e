import { sleep } from "#platform/clock.ts";
import type { Runtime } from "#platform/delivery.ts";
import { type InternalCallOptions, postInternal } from "#platform/post-internal.ts";
import { describeCause } from "#platform/log.ts";

import { answerInternal, type AnswerInternalOptions } from "./answer-internal.ts";
import { beginWork, type Schedulers } from "./begin-work.ts";
import type { LifecycleMark } from "./experiment.ts";
import { parseRunRequest, type RunAnswer } from "./wire.ts";

/** Where marks are sent. `secret` signs them and verifies the calls to this route. */
export type MarkSettings = Pick<InternalCallOptions, "relayUrl" | "path" | "secret" | "bypassSecret">;

export interface AnswerRunOptions
  extends Pick<InternalCallOptions, "fetch">, Omit<AnswerInternalOptions<MarkSettings>, "refused"> {
  runtime: Runtime;
  region: string | null;
  schedulers: Schedulers;
}

/** For one attempt. The last work on the edge is due after at most 18 s, and an edge function may run for 25 s. */
const markTimeoutMs = 3_000;
const markRetryMs = 500;

/**
 * Starts a run's work by the strategy asked for and answers as soon as that strategy lets it. The work waits until it is
 * due and then sends the run's mark; whether the mark arrives is the experiment's result. Answers 401
 * `SIGNATURE_INVALID` unless `RELAY_SECRET` signed the body, and 400 `REQUEST_INVALID` unless it is a run's request.
 */
export function answerRun(
  request: Request,
  { runtime, region, schedulers, fetch, ...options }: AnswerRunOptions,
): Promise<Response> {
  const { clock, log } = options;
  return answerInternal(request, { ...options, refused: "lifecycle.run_refused" }, async (body, settings) => {
    const { experimentId, strategy, dueAfterMs } = parseRunRequest(body);
    const startedAtMs = clock.nowMs();
    const answer = (status: RunAnswer["status"]) =>
      Response.json({ status, startedAtMs, region } satisfies RunAnswer, { headers: { "cache-control": "no-store" } });

    const work = async () => {
      await sleep(clock, Math.max(0, startedAtMs + dueAfterMs - clock.nowMs()));
      await sendMark({ experimentId, runtime, strategy }, { ...settings, fetch, clock }, log);
    };
    try {
      await beginWork(strategy, work, { schedulers, clock });
    } catch (thrown) {
      log.info("lifecycle.strategy_unavailable", { strategy, runtime, ...describeCause(thrown) });
      return answer("unavailable");
    }
    return answer("started");
  });
}

/**
 * Sends the mark, at most twice; never rejects. It takes a network round trip, so an instance that a later request wakes
 * only for a moment does not complete it.
 */
async function sendMark(mark: LifecycleMark, call: InternalCallOptions, log: AnswerRunOptions["log"]): Promise<void> {
  const fields = { runtime: mark.runtime, strategy: mark.strategy };
  const body = new TextEncoder().encode(JSON.stringify(mark));
  const send = async () => {
    try {
      const { status, text } = await postInternal(body, markTimeoutMs, call);
      if (status === 200 && text === '{"recorded":true}') return true;
      log.warn("lifecycle.mark_failed", { ...fields, status });
      // A 200 that records nothing comes from another database, or the experiment is forgotten: a retry cannot help.
      return status === 200;
    } catch (thrown) {
      log.warn("lifecycle.mark_failed", { ...fields, ...describeCause(thrown) });
      return false;
    }
  };
  if (await send()) return;
  await sleep(call.clock, markRetryMs);
  await send();
}
