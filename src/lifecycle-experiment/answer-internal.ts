import type { Clock } from "#platform/clock.ts";
import type { Log, LogEvent } from "#platform/log.ts";
import { readInternal } from "#platform/read-internal.ts";
import { refuse } from "#platform/refuse.ts";

export interface AnswerInternalOptions<Settings extends { secret: string }> {
  /** `secret` is `RELAY_SECRET`. Throws `ENV_INVALID` if a variable is missing. */
  readSettings: () => Settings;
  /** The log event of a refusal. */
  refused: LogEvent;
  clock: Clock;
  log: Log;
}

/**
 * Answers a call of our own by `answer`, which gets the verified body. An error that `readInternal` or `answer`
 * throws is logged, at level error from status 500 on, and becomes the response.
 */
export async function answerInternal<Settings extends { secret: string }>(
  request: Request,
  { readSettings, refused, clock, log }: AnswerInternalOptions<Settings>,
  answer: (body: Uint8Array, settings: Settings) => Promise<Response>,
): Promise<Response> {
  try {
    const settings = readSettings();
    const readSecrets = () => [settings.secret];
    const body = await readInternal(request, { readSecrets, bytesMax: 10_000, timeoutMs: 5_000, clock });
    return await answer(body, settings);
  } catch (thrown) {
    return refuse(log, refused, thrown);
  }
}
