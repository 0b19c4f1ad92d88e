import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";

import type { Clock } from "#platform/clock.ts";

export interface TendServerOptions {
  /** Where our own webhook calls our own Node routes. */
  internalPath: string;
  /** A sender gets this long for a request, the body included. */
  requestTimeoutMs: number;
  clock: Clock;
}

/**
 * What `next start` lacks to host the relay; call it before the server's first request.
 *
 * - Told to stop, it closes its port at once and then waits for the forwards; but a forward that needs the fallback calls
 *   this very port. So the port stays open until the process ends, for those calls alone: any other gets 503.
 * - It sends an edge route's answer only once the whole request is there: of a sender that has stopped, Node by itself
 *   thinks so after five minutes.
 */
export function tendServer({ internalPath, requestTimeoutMs, clock }: TendServerOptions): void {
  const doors = new Map<Server, Door>();
  subscribe("http.server.request.start", (message) => {
    const { request, response, server } = message as RequestStart;
    const cancelLimit = clock.after(requestTimeoutMs, () => request.complete || request.destroy());
    response.once("close", cancelLimit);

    let door = doors.get(server);
    if (door === undefined) doors.set(server, (door = createDoor(server, internalPath)));
    if (!isInternal(request, internalPath)) door.enter(response);
  });
}

interface RequestStart {
  request: IncomingMessage;
  response: ServerResponse;
  server: Server;
}

interface Door {
  /** Counts a request from outside until its response is done. */
  enter(response: ServerResponse): void;
}

function createDoor(server: Server, internalPath: string): Door {
  let inside = 0;
  let whenEmpty = () => {};

  server.close = (callback) => {
    const listeners = server.listeners("request") as RequestListener[];
    server.removeAllListeners("request");
    server.on("request", (request, response) => {
      if (!isInternal(request, internalPath)) return refuse(response);
      for (const listener of listeners) listener.call(server, request, response);
    });
    server.closeIdleConnections();
    whenEmpty = () => callback?.();
    if (inside === 0) whenEmpty();
    return server;
  };

  return {
    enter(response) {
      inside += 1;
      response.once("close", () => {
        inside -= 1;
        if (inside === 0) whenEmpty();
      });
    },
  };
}

function isInternal(request: IncomingMessage, internalPath: string): boolean {
  return request.url?.startsWith(internalPath) === true;
}

/** As for any other moment in which nothing can be kept: whoever sent it sends it again. */
function refuse(response: ServerResponse): void {
  const error = { code: "STOPPING", message: "The server is stopping" };
  response.writeHead(503, { "content-type": "application/json", connection: "close" }).end(JSON.stringify({ error }));
}
