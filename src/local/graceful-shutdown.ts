import type { Server, ServerResponse } from "node:http";

import type { Clock } from "#platform/clock.ts";

export interface GracefulShutdownOptions {
  /** For how long a server that was asked to stop still takes requests, so that a balancer can take it out first. */
  leaveMs: number;
  clock: Clock;
}

export interface GracefulShutdown {
  /** Counts a request as under way until its response is closed; returns false, and counts nothing, once the server stops. */
  admit(response: ServerResponse): boolean;
  /** Counts work that goes on after its response as under way, until the promise settles. */
  waitFor(work: Promise<unknown>): void;
  /** Whether the server was asked to stop. It may still take requests. */
  isLeaving(): boolean;
}

/**
 * Replaces `server.close`. For `leaveMs` the server still takes requests, and each answer closes its connection, so that
 * a balancer's next request goes over a new one, to another server. Then it refuses requests, and the callback is called
 * when the last admitted one is done. The port stays open until the process ends: Node's own `close` shuts it at once,
 * but a forward that needs the fallback calls this very port, and Next waits for the forwards before it ends the process.
 */
export function createGracefulShutdown(server: Server, { leaveMs, clock }: GracefulShutdownOptions): GracefulShutdown {
  let underWay = 0;
  let isLeaving = false;
  let isStopping = false;
  let whenDrained = () => {};

  const stop = () => {
    isStopping = true;
    server.closeIdleConnections();
    if (underWay === 0) whenDrained();
  };
  const endOne = () => {
    underWay -= 1;
    if (underWay === 0 && isStopping) whenDrained();
  };
  server.close = (callback) => {
    isLeaving = true;
    whenDrained = () => callback?.();
    if (leaveMs === 0) stop();
    else clock.after(leaveMs, stop);
    return server;
  };

  return {
    admit(response) {
      if (isStopping) return false;
      if (isLeaving) response.setHeader("connection", "close");
      underWay += 1;
      response.once("close", endOne);
      return true;
    },
    waitFor(work) {
      underWay += 1;
      work.then(endOne, endOne);
    },
    isLeaving: () => isLeaving,
  };
}
