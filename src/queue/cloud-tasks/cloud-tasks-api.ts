import { fetchWithin, type Network, type Answer } from "#platform/bounded-fetch.ts";
import type { GoogleServiceAccount } from "#platform/queue-env/cloud-tasks.ts";

import { cloudTasksAudience, createGoogleToken } from "./google-token.ts";

export interface CloudTasksApiOptions extends Network {
  url: string;
  queue: string;
  account: GoogleServiceAccount;
  /** For one request and its answer. */
  timeoutMs: number;
}

/** One request about the queue; `path` begins with the API's version and names the queue with `{queue}`. */
export type CloudTasksApi = (method: "GET" | "POST" | "DELETE", path: string, body?: unknown) => Promise<Answer>;

/** Makes no request itself. Its requests reject with `TimeoutError`, with what `fetch` rejects with, and if the key cannot sign. */
export function createCloudTasksApi({
  url,
  queue,
  account,
  timeoutMs,
  ...network
}: CloudTasksApiOptions): CloudTasksApi {
  const token = createGoogleToken(account, cloudTasksAudience, network.clock);
  return async (method, path, body) => {
    const headers = { authorization: `Bearer ${await token.get()}`, "content-type": "application/json" };
    const init: RequestInit = { method, cache: "no-store", headers };
    if (body !== undefined) init.body = JSON.stringify(body);
    return fetchWithin(timeoutMs, url + path.replace("{queue}", queue), init, network);
  };
}
