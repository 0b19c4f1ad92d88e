import { type FunctionRequest, hostLimitMs } from "./function-host.ts";

/** Resolves with the status once the whole response is there. Over a connection of its own: one kept open may just be closing. */
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
