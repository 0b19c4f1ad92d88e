import { TimeoutError } from "#platform/bounded-fetch.ts";
import { type Clock, sleep } from "#platform/clock.ts";
import { type ErrorCode, RelayError } from "#platform/errors.ts";
import { describeCause, type Log, type LogFields } from "#platform/log.ts";

export interface AttemptOptions {
  /** What is attempted; the log lines are named after it. */
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

/** What the attempts at one thing, or at several, took. */
export interface Tally {
  attempts: number;
  timeouts: number;
  /** Of the last failed attempt; null if none failed. */
  errorType: ErrorCode | null;
}

/** What another attempt needs: one without time would only cover up why those before it failed. */
const attemptMsMin = 200;
/** The first wait before another attempt; it doubles each time and varies by half. */
const firstDelayMs = 100;
/**
 * The same after a rate limit, which is one of a second. All that it turned away learn of the same end: they come back
 * at any moment of a window that begins there, else the next second would turn them away together again.
 * https://upstash.com/docs/qstash/api/api-ratelimiting
 */
const firstWindowMs = 1_000;

/**
 * Attempts it again and again where that helps (the error is retryable) until it succeeds or the time is up; false if it did not succeed. Each attempt gets the time it may take, must settle within that, and
 * resolves with what the log should say. Never rejects.
 */
export async function attemptUntil(
  attempt: (timeoutMs: number) => Promise<LogFields>,
  tally: Tally,
  { step, timeoutMs, retries, deadline, clock, random, log }: AttemptOptions,
): Promise<boolean> {
  for (let number = 0; ; number += 1) {
    const startedAt = clock.monotonicMs();
    const limitMs = Math.min(timeoutMs, deadline - startedAt);
    if (limitMs <= 0) return false;
    tally.attempts += 1;
    log.info(`${step}.attempt_started`, { attempt: number, timeoutMs: limitMs });
    try {
      const fields = await attempt(limitMs);
      log.info(`${step}.accepted`, { attempt: number, ...fields, durationMs: clock.monotonicMs() - startedAt });
      return true;
    } catch (thrown) {
      const error = attemptError(step, thrown);
      tally.errorType = error.code;
      const timedOut = error.cause instanceof TimeoutError;
      if (timedOut) tally.timeouts += 1;
      const { retryAfterMs } = error;
      const windowMs = Math.min(
        (error.code === "PUBLISH_RATE_LIMITED" ? firstWindowMs : firstDelayMs) * 2 ** number,
        deadline - attemptMsMin - clock.monotonicMs() - (retryAfterMs ?? 0),
      );
      const delayMs = retryAfterMs === undefined ? windowMs * (0.5 + random() / 2) : retryAfterMs + windowMs * random();
      const isLast = !error.retryable || number >= retries || windowMs <= 0;
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

/** Of a request that brought no answer. */
function attemptError(step: AttemptOptions["step"], thrown: unknown): RelayError {
  if (thrown instanceof RelayError) return thrown;
  const prefix = step === "publish" ? "PUBLISH" : "FALLBACK";
  return thrown instanceof TimeoutError
    ? new RelayError(`${prefix}_TIMEOUT`, thrown.message, { cause: thrown })
    : new RelayError(`${prefix}_NETWORK`, "The other side could not be reached", { cause: thrown });
}
