import type { IncomingMessage, ServerResponse } from "node:http";

export interface LargeBodyLimitOptions {
  /** Bodies up to this size do not count: nearly all genuine ones. */
  smallBytesMax: number;
  /** The number of larger bodies that are read at the same time, per path. */
  largeBodiesMax: number;
  /** Beginnings of paths; each has its own limit, and all other paths share one. */
  paths: readonly string[];
}

/**
 * Calls `read` as soon as the request's body may be read, at once for a small one. A large body counts until its response
 * is closed. If the response is closed first, `read` is never called.
 */
export type ReadWhenAllowed = (request: IncomingMessage, response: ServerResponse, read: () => void) => void;

/**
 * Limits the memory that unknown clients can take: a body can be verified only when it is complete, and Next holds the
 * body of an edge route several times. A body that waits is not read, so TCP flow control holds its sender back.
 */
export function createLargeBodyLimit({ smallBytesMax, largeBodiesMax, paths }: LargeBodyLimitOptions): ReadWhenAllowed {
  const queues = new Map<string | undefined, { reading: number; waiting: Set<() => void> }>();

  return (request, response, read) => {
    if (!isLarge(request, smallBytesMax)) return read();
    const path = paths.find((start) => request.url?.startsWith(start));
    const queue = queues.get(path) ?? { reading: 0, waiting: new Set() };
    queues.set(path, queue);
    const start = () => {
      queue.waiting.delete(start);
      queue.reading += 1;
      read();
    };
    response.once("close", () => {
      if (queue.waiting.delete(start)) return;
      queue.reading -= 1;
      for (const next of queue.waiting) if (queue.reading < largeBodiesMax) next();
    });
    if (queue.reading < largeBodiesMax) start();
    else queue.waiting.add(start);
  };
}

/** A body without an announced length counts as large. */
function isLarge(request: IncomingMessage, smallBytesMax: number): boolean {
  if (request.headers["transfer-encoding"] !== undefined) return true;
  return Number(request.headers["content-length"] ?? 0) > smallBytesMax;
}
