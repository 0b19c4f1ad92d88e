import { connect, createServer } from "node:net";

import { cut, listenSwitchably, type SwitchableListener } from "./switchable-listener.ts";

export interface TcpProxy extends Pick<SwitchableListener, "connections" | "goDown" | "comeUp"> {
  /** The given address with the proxy's host and port in the place of its own. */
  url: string;
  close(): Promise<void>;
}

/** A way to the server at `url`, a database's say, that a test can cut and mend. */
export async function startTcpProxy(url: string, defaultPort: number): Promise<TcpProxy> {
  const target = new URL(url);
  const to = { host: target.hostname, port: Number(target.port || defaultPort) };
  const server = createServer((near) => {
    const far = connect(to);
    near.pipe(far).pipe(near);
    // What ends on one side without a goodbye ends so on the other.
    near.on("error", () => cut(far));
    far.on("error", () => cut(near));
    near.once("close", () => far.destroy());
    far.once("close", () => near.destroy());
  });
  const listener = await listenSwitchably(server);
  const through = new URL(url);
  through.hostname = "127.0.0.1";
  through.port = String(listener.port);
  return {
    url: through.href,
    connections: listener.connections,
    goDown: listener.goDown,
    comeUp: listener.comeUp,
    close: listener.goDown,
  };
}
