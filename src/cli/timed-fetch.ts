import { systemClock } from "#platform/clock.ts";

import { CliFailure, errorCodeOf } from "#platform/failure.ts";

/** A request that ends, one way or the other: an answer with its whole body, or the sentence why there is none. */
export async function timedFetch(
  url: string,
  init: RequestInit,
  limitMs: number,
): Promise<{ response: Response; text: string }> {
  const limit = new AbortController();
  const cancel = systemClock.after(limitMs, () => limit.abort());
  try {
    const response = await fetch(url, { ...init, redirect: "manual", signal: limit.signal });
    return { response, text: await response.text() };
  } catch (error) {
    if (limit.signal.aborted) throw new CliFailure(`${url} did not answer within ${limitMs / 1000} s.`);
    const cause = error instanceof Error ? error.cause : undefined;
    const code = errorCodeOf(cause);
    if (code === "ECONNREFUSED") {
      throw new CliFailure(
        `Nothing answers at ${new URL(url).origin}: run npm start, or set RELAY_URL to where the relay is.`,
      );
    }
    throw new CliFailure(
      `${url} could not be reached (${code ?? (error instanceof Error ? error.message : String(error))}).`,
    );
  } finally {
    cancel();
  }
}
