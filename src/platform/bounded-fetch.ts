import type { Clock } from "./clock.ts";

/** What a request brought back, its body included, or the beginning of it. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

export interface Network {
  fetch: typeof fetch;
  clock: Clock;
  /** Of an answer: what comes after so many bytes is not read; a megabyte unless given. */
  answerBytesMax?: number;
}

/** The response did not arrive in time, or not all of it. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/** Whether an answer with this status, other than a success, may be another one if the same request is repeated. */
export function mayPass(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/**
 * One request that ends: within `timeoutMs` its whole answer is there, or it is aborted, its connection closed and
 * `TimeoutError` thrown, also if `fetch` takes no notice of the abort. Redirects are answers, not followed. Throws what `fetch`
 * throws if the other side cannot be reached. `AbortSignal.timeout` would leave its timer behind, and the edge has no
 * `AbortSignal.any`.
 */
export async function fetchWithin(
  timeoutMs: number,
  url: string,
  init: RequestInit,
  network: Network,
): Promise<Answer> {
  const abort = new AbortController();
  let cancelTimer = () => {};
  const timeout = new Promise<never>((_resolve, reject) => {
    cancelTimer = network.clock.after(timeoutMs, () => {
      reject(new TimeoutError(`No answer within ${timeoutMs} ms`));
      abort.abort();
    });
  });
  try {
    return await Promise.race([ask(url, { ...init, redirect: "manual", signal: abort.signal }, network), timeout]);
  } finally {
    cancelTimer();
  }
}

/** The body belongs to the request: one that stalls half-way is a timeout too, and an unread one holds its connection. */
async function ask(url: string, init: RequestInit, { fetch, answerBytesMax }: Network): Promise<Answer> {
  const response = await fetch(url, init);
  return { status: response.status, headers: response.headers, text: await readText(response, answerBytesMax) };
}

/** The answers we expect are small; an endless one would fill an isolate's memory. */
const answerBytesMaxDefault = 1_000_000;

async function readText(response: Response, answerBytesMax = answerBytesMaxDefault): Promise<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let bytes = 0; reader !== undefined && bytes < answerBytesMax;) {
    const { done, value } = await reader.read();
    if (done) return text;
    bytes += value.byteLength;
    text += decoder.decode(value, { stream: true });
  }
  await reader?.cancel();
  return text;
}
