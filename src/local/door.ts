import type { Server, ServerResponse } from "node:http";

export interface Door {
  /** Counts a request from outside until its response is done; false once the server stops. */
  enter(response: ServerResponse): boolean;
}

/**
 * A server that is told to stop closes its port at once and then waits for the forwards; but a forward that needs the
 * fallback calls this very port. So it stays open until the process ends, and only the requests from outside are waited
 * for, which from then on are refused.
 */
export function createDoor(server: Server): Door {
  let inside = 0;
  let isOpen = true;
  let whenEmpty = () => {};

  server.close = (callback) => {
    isOpen = false;
    server.closeIdleConnections();
    whenEmpty = () => callback?.();
    if (inside === 0) whenEmpty();
    return server;
  };

  return {
    enter(response) {
      if (!isOpen) return false;
      inside += 1;
      response.once("close", () => {
        inside -= 1;
        if (inside === 0) whenEmpty();
      });
      return true;
    },
  };
}
