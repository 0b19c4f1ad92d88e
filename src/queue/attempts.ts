import { TimeoutError } from "#platform/bounded-fetch.ts";
import { type Clock, sleep } from "#platform/clock.ts";
import { ForwardError, type ForwardErrorCode, forwardErrors } from "#platform/forward-error.ts";
import { describeCause, type Log, type LogFields } from "#platform/log.ts";

export interface AttemptOptions {
  /** Names the log lines. */
  step: "publish" | "fallback";
  /** For one attempt. */
  timeoutMs: number;
  /** Attempts after the first. */
  retries: number;
  /** On the monotonic clock: no attempt begins later, none lasts longer. */
  deadline: number;
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  log: Log;
}

/** Counts the attempts to publish one batch, or several. */
export interface AttemptStats {
  attempts: number;
  timeouts: number;
  /** Of the last failed attempt; null if none failed. */
  errorType: ForwardErrorCode | null;
}

/** A shorter attempt would always time out and hide the real error. */
const attemptMsMin = 200;
/** The first wait before another attempt; it doubles each time and varies by half. */
const firstDelayMs = 100;
/**
 * The same after a rate limit, which counts requests in each second. QStash gives all forwards that it refuses the same
 * time at which the limit ends. Each waits until then, and after that for a random part of a window of this length:
 * otherwise all would come back together and be refused again.
 * https://upstash.com/docs/qstash/api/api-ratelimiting
 */
const firstWindowMs = 1_000;

/**
 * Calls `attempt` until it succeeds, its error is not retryable, or the retries or the time are used up. Resolves with
 * whether it succeeded; never rejects. `attempt` gets its time limit in milliseconds, must settle within it, and resolves
 * with fields for the log.
 */
export async function attemptUntil(
  attempt: (timeoutMs: number) => Promise<LogFields>,
  stats: AttemptStats,
  { step, timeoutMs, retries, deadline, clock, random, log }: AttemptOptions,
): Promise<boolean> {
  for (let number = 0; ; number += 1) {
    const startedAt = clock.monotonicMs();
    const limitMs = Math.min(timeoutMs, deadline - startedAt);
    if (limitMs <= 0) return false;
    stats.attempts += 1;
    log.debug(`${step}.attempt_started`, { attempt: number, timeoutMs: limitMs });
    try {
      const fields = await attempt(limitMs);
      log.debug(`${step}.accepted`, { attempt: number, ...fields, durationMs: clock.monotonicMs() - startedAt });
      return true;
    } catch (thrown) {
      const error = attemptError(step, thrown);
      stats.errorType = error.code;
      const timedOut = error.cause instanceof TimeoutError;
      if (timedOut) stats.timeouts += 1;
      const { retryAfterMs } = error;
      const windowMs = Math.min(
        (error.code === "PUBLISH_RATE_LIMITED" ? firstWindowMs : firstDelayMs) * 2 ** number,
        deadline - attemptMsMin - clock.monotonicMs() - (retryAfterMs ?? 0),
      );
      const delayMs = retryAfterMs === undefined ? windowMs * (0.5 + random() / 2) : retryAfterMs + windowMs * random();
      const isLast = !forwardErrors[error.code] || number >= retries || windowMs <= 0;
      log.warn(timedOut ? `${step}.attempt_timed_out` : `${step}.attempt_failed`, {
        attempt: number,
        code: error.code,
        reason: error.message,
        durationMs: clock.monotonicMs() - startedAt,
        retryInMs: isLast ? null : delayMs,
        ...(error.cause === undefined || timedOut ? {} : describeCause(error.cause)),
      });
      if (isLast) return false;
      await sleep(clock, delayMs);
    }
  }
}

const silent = { publish: "PUBLISH_TIMEOUT", fallback: "FALLBACK_TIMEOUT" } as const;
const unreachable = { publish: "PUBLISH_NETWORK", fallback: "FALLBACK_NETWORK" } as const;

/** The error of an attempt that may have had no answer. */
function attemptError(step: AttemptOptions["step"], thrown: unknown): ForwardError {
  if (thrown instanceof ForwardError) return thrown;
  return thrown instanceof TimeoutError
    ? new ForwardError(silent[step], thrown.message, { cause: thrown })
    : new ForwardError(unreachable[step], "The other side could not be reached", { cause: thrown });
}
