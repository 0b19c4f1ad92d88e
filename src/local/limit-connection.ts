/** One client's connection: one request at a time, a time limit for each phase, and no answer that is lost by a reset. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

import type { Clock } from "#platform/clock.ts";

export interface ConnectionLimits {
  /** From the start of the connection, or the end of the request before, to the end of a request's head. */
  headTimeoutMs: number;
  /** From the end of a request's head to the end of its body, even if the answer was sent before. */
  bodyTimeoutMs: number;
  /** From the end of a request's head until the client has received the whole answer. */
  answerTimeoutMs: number;
  /** The most bytes of a body that are read and dropped after the answer; more of it closes the connection. */
  drainBytesMax: number;
}

export interface LimitedConnection {
  /** Calls `serve` once the request before is done. A second request that waits closes the connection. */
  take(request: IncomingMessage, response: ServerResponse, serve: () => void): void;
  /** Whether no request is being answered. */
  isIdle(): boolean;
}

/**
 * Applies the limits to a connection. Node starts every pipelined request at once: 2 MB of them are 50,000 pages to
 * render. Clients in use today send the next request after the answer; one request may arrive before the event loop has
 * finished the one before, so one may wait.
 */
export function limitConnection(socket: Socket, limits: ConnectionLimits, clock: Clock): LimitedConnection {
  let current: IncomingMessage | undefined;
  let waiting: (() => void) | undefined;
  let isClosing = false;
  let cancelHeadLimit = () => {};

  const expectHead = () => {
    cancelHeadLimit = clock.after(limits.headTimeoutMs, () => socket.destroy());
  };

  const begin = (request: IncomingMessage, response: ServerResponse, serve: () => void) => {
    cancelHeadLimit();
    current = request;
    const cancelBodyLimit = clock.after(limits.bodyTimeoutMs, () => request.complete || socket.destroy());
    const cancelAnswerLimit = clock.after(limits.answerTimeoutMs, () => socket.destroy());
    let unfinished = 2;
    const endOne = () => {
      unfinished -= 1;
      if (unfinished > 0 || socket.destroyed) return;
      current = undefined;
      const next = waiting;
      waiting = undefined;
      if (isClosing) socket.destroySoon();
      else if (next) next();
      else expectHead();
    };
    request.once("close", () => {
      cancelBodyLimit();
      endOne();
    });
    response.once("close", () => {
      cancelAnswerLimit();
      drain(request, limits.drainBytesMax);
      endOne();
    });
    serve();
  };

  // Node calls this when an answer with `Connection: close` is sent. If the socket is closed while the client is sending,
  // the system resets the connection and the client loses the answer. https://www.rfc-editor.org/rfc/rfc9112#section-9.6
  const { destroySoon } = socket;
  socket.destroySoon = () => {
    isClosing = true;
    if (current && !current.complete) socket.end();
    else destroySoon.call(socket);
  };
  socket.once("close", () => {
    cancelHeadLimit();
    waiting = undefined;
  });
  expectHead();

  return {
    take(request, response, serve) {
      const start = () => begin(request, response, serve);
      if (isClosing || socket.destroyed) return;
      if (current === undefined) start();
      else if (waiting === undefined) waiting = start;
      else socket.destroy();
    },
    isIdle: () => current === undefined && !isClosing,
  };
}

/** Reads and drops the part of the body that the route left unread; more than `bytesMax` closes the connection. */
function drain(request: IncomingMessage, bytesMax: number): void {
  let bytes = 0;
  request.removeAllListeners("data");
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bytesMax) request.socket.destroy();
  });
  request.resume();
}
