import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";

/**
 * Makes every server of this process append the address of the connection to `X-Forwarded-For`, as a proxy does. Next
 * sets that header only if it is missing, so a client could otherwise claim any address.
 */
export function appendClientAddress(): void {
  subscribe("http.server.request.start", (message) => {
    const { headers, socket } = (message as { request: IncomingMessage }).request;
    const given = [headers["x-forwarded-for"] ?? []].flat();
    headers["x-forwarded-for"] = [...given, socket.remoteAddress ?? "unknown"].join(", ");
  });
}
