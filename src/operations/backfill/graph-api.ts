import { type Answer, fetchWithin, type Network, TimeoutError } from "#platform/bounded-fetch.ts";
import { sleep } from "#platform/clock.ts";
import { parseJson } from "#platform/parse-json.ts";

import { GraphFailure, toGraphFailure } from "./graph-failure.ts";
import { type GraphObject, objectOf } from "./graph-values.ts";
import { readUsage } from "./read-usage.ts";

export interface GraphApiOptions extends Network {
  /** With the version: `https://graph.instagram.com/v25.0`. */
  baseUrl: string;
  token: string;
  /** Between the beginnings of two requests. */
  paceMs: number;
}

/** Instagram's API with the token of one account. */
export interface GraphApi {
  /** One request at a time. Throws a `GraphFailure`. */
  get(path: string, params?: Readonly<Record<string, string | null>>): Promise<GraphObject>;
  /** Requests made so far. */
  calls(): number;
  /** How long to rest before the next request, as the last answer's usage suggests; 0 for not at all. */
  restMs(): number;
}

/** Two requests a second for one account. https://developers.facebook.com/docs/instagram-platform/overview, read 2026-11 */
export const paceMsUsual = 500;
const timeoutMs = 10_000;
const answerBytesMax = 4_000_000;
/** From this share of a limit on, an app that goes on takes away what its other requests need. */
const percentMax = 90;
const restMsUsual = 5 * 60_000;

/** Makes no request itself. The token goes in a header, so that no address contains it, and redirects are not followed. */
export function createGraphApi({ baseUrl, token, paceMs, ...network }: GraphApiOptions): GraphApi {
  const { clock } = network;
  let calls = 0;
  let restMs = 0;
  let lastMs = -Infinity;

  return {
    calls: () => calls,
    restMs: () => restMs,
    async get(path, params = {}) {
      const waitMs = lastMs + paceMs - clock.monotonicMs();
      if (waitMs > 0) await sleep(clock, waitMs);
      lastMs = clock.monotonicMs();
      calls += 1;
      const url = new URL(baseUrl + path);
      for (const [name, value] of Object.entries(params)) if (value !== null) url.searchParams.set(name, value);
      const answer = await ask(url.href, token, network);
      const usage = readUsage(answer.headers);
      restMs = usage.regainMs > 0 ? usage.regainMs : usage.percent >= percentMax ? restMsUsual : 0;
      return jsonOf(answer);
    },
  };
}

async function ask(url: string, token: string, network: Network): Promise<Answer> {
  const init = {
    cache: "no-store",
    headers: { authorization: `Bearer ${token}`, accept: "application/json" },
  } as const;
  try {
    return await fetchWithin(timeoutMs, url, init, { ...network, answerBytesMax });
  } catch (thrown) {
    const detail = thrown instanceof TimeoutError ? `no answer within ${timeoutMs / 1_000} s` : "it cannot be reached";
    throw new GraphFailure("transient", detail, 0, { cause: thrown });
  }
}

function jsonOf(answer: Answer): GraphObject {
  const { status, text } = answer;
  const json = parseJson(text);
  const { error } = objectOf(json);
  if (status < 200 || status > 299 || error !== undefined) throw toGraphFailure(answer);
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as GraphObject;
  // What was cut is no JSON any more; its beginning may be longer in bytes than in characters.
  const isCut = new TextEncoder().encode(text).byteLength >= answerBytesMax;
  throw new GraphFailure(
    "unreadable",
    isCut ? `more than ${answerBytesMax / 1_000_000} MB` : `status ${status}, no JSON`,
  );
}
