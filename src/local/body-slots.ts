import type { IncomingMessage, ServerResponse } from "node:http";

export interface BodySlotOptions {
  /** Bodies up to this size are always read: nearly all genuine ones. */
  smallBytesMax: number;
  /** So many larger ones are read at once, for each kind of path. */
  largeBodiesMax: number;
  /** Beginnings of paths that do not wait for each other. */
  paths: readonly string[];
}

/** Calls `read` once there is room for the request's body, until its response is done; not at all if that is before. */
export type TakeSlot = (request: IncomingMessage, response: ServerResponse, read: () => void) => void;

/**
 * Limits the memory that strangers can take: whether a body is genuine is known only when all of it is there, and Next
 * holds an edge route's body several times. Those that wait are not read, so that the system holds back their senders.
 */
export function createBodySlots({ smallBytesMax, largeBodiesMax, paths }: BodySlotOptions): TakeSlot {
  const rooms = new Map<string | undefined, { taken: number; queue: Set<() => void> }>();

  return (request, response, read) => {
    if (!isLarge(request, smallBytesMax)) return read();
    const path = paths.find((start) => request.url?.startsWith(start));
    const room = rooms.get(path) ?? { taken: 0, queue: new Set() };
    rooms.set(path, room);
    const start = () => {
      room.queue.delete(start);
      room.taken += 1;
      read();
    };
    response.once("close", () => {
      if (room.queue.delete(start)) return;
      room.taken -= 1;
      for (const next of room.queue) if (room.taken < largeBodiesMax) next();
    });
    if (room.taken < largeBodiesMax) start();
    else room.queue.add(start);
  };
}

function isLarge(request: IncomingMessage, smallBytesMax: number): boolean {
  if (request.headers["transfer-encoding"] !== undefined) return true;
  return Number(request.headers["content-length"] ?? 0) > smallBytesMax;
}
