import { explainNetwork, networkCodeOf } from "#diagnostics/explain-network.ts";
import { type Answer, fetchWithin, TimeoutError } from "#platform/bounded-fetch.ts";
import { systemClock } from "#platform/clock.ts";
import { CliFailure } from "#platform/failure.ts";

import { unlessAborted } from "./unless-aborted.ts";

/** The name that the relay sees of these commands: its audit tells by it what was done by command. */
export const userAgent = "instagram-webhook-relay-cli";

/** A page of events may hold many large payloads. */
const answerBytesMaxDefault = 200_000_000;

export interface FetchLimits {
  limitMs: number;
  /** Aborted when the command is to end. */
  signal?: AbortSignal;
  /** The variable or option that holds the address. */
  variable?: string;
  /** Of an answer: what comes after so many bytes is not read. */
  answerBytesMax?: number;
}

/** The whole answer to one request. Throws a `CliFailure` that says in a sentence why there is none; follows no redirect. */
export async function fetchOrFail(
  url: string,
  init: Omit<RequestInit, "headers"> & { headers?: Record<string, string> },
  { limitMs, signal, variable = "RELAY_URL", answerBytesMax = answerBytesMaxDefault }: FetchLimits,
): Promise<Answer> {
  const request = { ...init, headers: { "user-agent": userAgent, ...init.headers } };
  try {
    const answer = fetchWithin(limitMs, url, request, { fetch, clock: systemClock, answerBytesMax });
    return await (signal === undefined ? answer : unlessAborted(answer, signal));
  } catch (error) {
    if (error instanceof CliFailure) throw error;
    if (error instanceof TimeoutError) throw new CliFailure(`${url} did not answer within ${limitMs / 1000} s.`);
    const code = networkCodeOf(error);
    const { origin } = new URL(url);
    if (code === "ECONNREFUSED") {
      throw new CliFailure(`Nothing listens at ${origin}: run npm start, or set ${variable} to the relay's address.`);
    }
    const { cause, remedy } = explainNetwork(error, { variable });
    throw new CliFailure(`${origin} could not be reached (${code}): ${cause} ${remedy}`);
  }
}
