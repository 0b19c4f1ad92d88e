import { type FunctionRequest, hostLimitMs } from "./function-host.ts";

/**
 * Resolves with the status once the whole response has arrived; rejects if none arrives within 30 s. Uses a new connection,
 * because the server may be closing a kept one.
 */
export async function sendHttp(url: string, { headers, ...init }: Omit<FunctionRequest, "query">): Promise<number> {
  const response = await fetch(url, {
    ...init,
    body: init.body ?? null,
    headers: { ...headers, connection: "close" },
    signal: AbortSignal.timeout(hostLimitMs),
  });
  await response.arrayBuffer();
  return response.status;
}
