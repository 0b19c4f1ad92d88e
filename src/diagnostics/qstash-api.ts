import { type Answer, fetchWithin, type Network } from "#platform/bounded-fetch.ts";

export interface QstashApiOptions extends Network {
  /** The base URL of the account's region. */
  url: string;
  token: string;
  /** For one request. */
  timeoutMs: number;
}

/** One authorised request to QStash's HTTP API. Throws `TimeoutError` or what `fetch` throws. */
export type QstashApi = (
  method: "GET" | "POST" | "DELETE",
  path: string,
  headers?: Record<string, string>,
) => Promise<Answer>;

export function createQstashApi({ url, token, timeoutMs, ...network }: QstashApiOptions): QstashApi {
  return (method, path, headers = {}) => {
    const init: RequestInit = { method, cache: "no-store", headers: { ...headers, authorization: `Bearer ${token}` } };
    return fetchWithin(timeoutMs, `${url}${path}`, init, network);
  };
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
