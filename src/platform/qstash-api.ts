import { type Answer, fetchWithin, type Network } from "./bounded-fetch.ts";

export interface QstashApiOptions extends Network {
  /** The base URL of the account's region. */
  url: string;
  token: string;
  /** For one request and its answer. */
  timeoutMs: number;
}

/** One authorised request to QStash's HTTP API. Rejects with `TimeoutError` or with what `fetch` rejects with. */
export type QstashApi = (
  method: "GET" | "POST" | "DELETE",
  path: string,
  headers?: Record<string, string>,
) => Promise<Answer>;

/** Makes no request itself. */
export function createQstashApi({ url, token, timeoutMs, ...network }: QstashApiOptions): QstashApi {
  return (method, path, headers = {}) => {
    const init: RequestInit = { method, cache: "no-store", headers: { ...headers, authorization: `Bearer ${token}` } };
    return fetchWithin(timeoutMs, `${url}${path}`, init, network);
  };
}

/** Whether an HTTP status is 2xx. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
