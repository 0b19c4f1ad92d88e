/** One client's connection: one request at a time, each phase within its limit, and an answer that always arrives. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

import type { Clock } from "#platform/clock.ts";

export interface ConnectionLimits {
  /** From the connection's begin, or the end of the request before, to the end of a request's head. */
  headTimeoutMs: number;
  /** From the end of a request's head to the end of its body, also when the answer has been given before. */
  bodyTimeoutMs: number;
  /** From the end of a request's head until the client has taken the whole answer. */
  answerTimeoutMs: number;
  /** So much of a body is read after the answer before the connection is cut. */
  drainBytesMax: number;
}

export interface Connection {
  /** Calls `serve` once the request before is done; a connection with more than one request waiting is cut. */
  take(request: IncomingMessage, response: ServerResponse, serve: () => void): void;
  /** Whether nothing is being answered. */
  isIdle(): boolean;
}

/**
 * Node starts every pipelined request at once: 2 MB of them are 50,000 pages to render. Clients that are in use today send
 * the next request after the answer (one may overtake the last turn of the event loop, so one waits).
 */
export function tendConnection(socket: Socket, limits: ConnectionLimits, clock: Clock): Connection {
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

  // Node calls this when an answer with `Connection: close` is out. Closing while the client still sends makes the system
  // reset the connection, and the client loses the answer. https://www.rfc-editor.org/rfc/rfc9112#section-9.6
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

/** Reads and drops what the handler left unread; too much of it ends the connection. */
function drain(request: IncomingMessage, bytesMax: number): void {
  let bytes = 0;
  request.removeAllListeners("data");
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bytesMax) request.socket.destroy();
  });
  request.resume();
}
