import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";

/**
 * Makes every server of this process append the address of the connection to `X-Forwarded-For`, as a proxy does. Next
 * sets that header only if it is missing, so a client could otherwise claim any address. Returns what ends it.
 */
export function appendClientAddress(): () => void {
  const append = (message: unknown) => {
    const { headers, socket } = (message as { request: IncomingMessage }).request;
    const given = [headers["x-forwarded-for"] ?? []].flat();
    headers["x-forwarded-for"] = [...given, socket.remoteAddress ?? "unknown"].join(", ");
  };
  subscribe("http.server.request.start", append);
  return () => void unsubscribe("http.server.request.start", append);
}
