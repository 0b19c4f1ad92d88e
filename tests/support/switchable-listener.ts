import { once } from "node:events";
import type { Server, Socket } from "node:net";

import { listenOnTestPort } from "./test-port.ts";

/** A server that can go away and come back on the same port, as one that is stopped and started again does. */
export interface SwitchableListener {
  port: number;
  /** Connections so far, and those of them that going down has cut. */
  readonly connections: { opened: number; cut: number };
  /** Cuts all connections, without a word of goodbye, and has new ones refused. */
  goDown(): Promise<void>;
  comeUp(): Promise<void>;
}

/** Listens on 127.0.0.1, on a free port. */
export async function listenSwitchably(server: Server): Promise<SwitchableListener> {
  const open = new Set<Socket>();
  const connections = { opened: 0, cut: 0 };
  server.on("connection", (socket: Socket) => {
    connections.opened += 1;
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  const port = await listenOnTestPort(server);
  return {
    port,
    connections,
    async goDown() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      connections.cut += open.size;
      for (const socket of open) cut(socket);
      await closed;
    },
    async comeUp() {
      if (server.listening) return;
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    },
  };
}

/**
 * Resets a connection, so that the other side hears no goodbye. One that is being shut down is closed instead: Node
 * never lets go of a socket that it is told to reset then (libuv refuses, EINVAL), and spins when the process should end.
 */
export function cut(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
