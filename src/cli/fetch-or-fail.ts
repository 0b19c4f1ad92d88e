import { type Answer, fetchWithin, TimeoutError } from "#platform/bounded-fetch.ts";
import { systemClock } from "#platform/clock.ts";
import { CliFailure, errorCodeOf } from "#platform/failure.ts";

/** A page of events may hold many large payloads. */
const answerBytesMax = 200_000_000;

/** The whole answer to one request, within `limitMs`. Throws a `CliFailure` that says why there is none; follows no redirect. */
export async function fetchOrFail(url: string, init: RequestInit, limitMs: number): Promise<Answer> {
  try {
    return await fetchWithin(limitMs, url, init, { fetch, clock: systemClock, answerBytesMax });
  } catch (error) {
    if (error instanceof TimeoutError) throw new CliFailure(`${url} did not answer within ${limitMs / 1000} s.`);
    const code = errorCodeOf(error instanceof Error ? error.cause : undefined);
    if (code === "ECONNREFUSED") {
      throw new CliFailure(
        `Nothing listens at ${new URL(url).origin}: run npm start, or set RELAY_URL to the relay's address.`,
      );
    }
    throw new CliFailure(
      `${url} could not be reached (${code ?? (error instanceof Error ? error.message : String(error))}).`,
    );
  }
}
