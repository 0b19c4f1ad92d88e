import type { Server, ServerResponse } from "node:http";

export interface GracefulShutdown {
  /** Counts a request as under way until its response is closed; returns false, and counts nothing, once the server stops. */
  admit(response: ServerResponse): boolean;
}

/**
 * Replaces `server.close`: the port stays open until the process ends, and the callback is called when the last admitted
 * request is done. Node's own `close` shuts the port at once, but a forward that needs the fallback calls this very port,
 * and Next waits for the forwards before it ends the process.
 */
export function createGracefulShutdown(server: Server): GracefulShutdown {
  let underWay = 0;
  let isStopping = false;
  let whenDrained = () => {};

  server.close = (callback) => {
    isStopping = true;
    server.closeIdleConnections();
    whenDrained = () => callback?.();
    if (underWay === 0) whenDrained();
    return server;
  };

  return {
    admit(response) {
      if (isStopping) return false;
      underWay += 1;
      response.once("close", () => {
        underWay -= 1;
        if (underWay === 0) whenDrained();
      });
      return true;
    },
  };
}
