import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";

/**
 * Appends the address of the connection to `X-Forwarded-For`, as each proxy does. Next sets that header only where it is
 * missing: a client that sends one could name any address as its own.
 */
export function appendClientAddress(): void {
  subscribe("http.server.request.start", (message) => {
    const { headers, socket } = (message as { request: IncomingMessage }).request;
    const given = [headers["x-forwarded-for"] ?? []].flat();
    headers["x-forwarded-for"] = [...given, socket.remoteAddress ?? "unknown"].join(", ");
  });
}
