import { type Answer, fetchWithin, type Network } from "#platform/bounded-fetch.ts";
import { ForwardError, type ForwardErrorCode } from "#platform/forward-error.ts";

export interface RedisRestOptions extends Network {
  url: string;
  token: string;
}

/**
 * One command, as the text of the JSON answer. Rejects with a `ForwardError` if Redis refused it, with a `TimeoutError` if
 * it was silent, and with what `fetch` rejects with. https://upstash.com/docs/redis/features/restapi
 */
export type RedisRest = (command: readonly (string | number)[], timeoutMs: number) => Promise<Answer>;

/** Makes no request itself. */
export function createRedisRest({ url, token, ...network }: RedisRestOptions): RedisRest {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return async (command, timeoutMs) => {
    const init: RequestInit = { method: "POST", body: JSON.stringify(command), headers, cache: "no-store" };
    const answer = await fetchWithin(timeoutMs, url, init, network);
    // A redirect that is not followed has the status 0 where fetch keeps to its specification.
    if (answer.status !== 200) throw refusal(answer);
    return answer;
  };
}

/** Redis's own words, `{"error":"OOM command not allowed …"}`, decide before the status does. */
function refusal({ status, text, headers }: Answer): ForwardError {
  const words = /"error":\s*"([^"\\]*)/.exec(text)?.[1] ?? "";
  const code = rules.find(([pattern]) => pattern.test(`${status} ${words}`))?.[1] ?? "PUBLISH_REJECTED";
  // Only the error's name: the words may repeat what was sent. An error in a script has it behind "ERR Error running script".
  const name = /\b(?!ERR\b)[A-Z]{3,20}\b/.exec(words)?.[0];
  const seconds = headers.get("retry-after");
  return new ForwardError(code, `Redis answered ${status}${name === undefined ? "" : ` ${name}`}`, {
    retryAfterMs:
      code === "PUBLISH_RATE_LIMITED" && seconds !== null && /^\d{1,6}$/.test(seconds)
        ? Number(seconds) * 1_000
        : undefined,
  });
}

/**
 * Matched against the status and, after a space, the words; the first that matches.
 * https://upstash.com/docs/redis/troubleshooting/max_requests_limit and the pages beside it
 */
const rules: readonly (readonly [RegExp, ForwardErrorCode])[] = [
  [/^429|per second/, "PUBLISH_RATE_LIMITED"],
  [/ OOM|quota exceeded| max .* exceeded|^413/, "PUBLISH_OVER_QUOTA"],
  [/^40[13]| (WRONGPASS|NOAUTH|NOPERM)/, "PUBLISH_UNAUTHORIZED"],
  [/ WRONGTYPE/, "PUBLISH_INVALID"],
  [/^(408|5\d\d)| (LOADING|BUSY|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF)/, "PUBLISH_UNAVAILABLE"],
  [/^404/, "PUBLISH_NOT_FOUND"],
  [/^400/, "PUBLISH_INVALID"],
];
