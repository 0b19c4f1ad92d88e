import { connect, createServer, type Socket } from "node:net";

import { systemClock } from "#platform/clock.ts";

import { cut, listenSwitchably, type SwitchableListener } from "./switchable-listener.ts";

/**
 * What happens to a database's connections: `cut` closes one as soon as the client sends a statement on it; `blackhole` passes
 * nothing more on from a statement on and leaves the connection open; `wake` holds back what a new connection sends first, as
 * a database does that has to start.
 */
export type ProxyMode = "pass" | "cut" | "blackhole" | "wake";

export interface TcpProxy extends Pick<SwitchableListener, "connections" | "goDown" | "comeUp"> {
  /** The given address with the proxy's host and port in the place of its own. */
  url: string;
  setMode(mode: ProxyMode): void;
  /** From now on each round trip takes so much longer; 0 for no longer. */
  setRoundTrip(ms: number): void;
  /** From now on passes nothing more on for the connections that are open, which stay open; new ones work. */
  freeze(): void;
  /** Cuts the connection of each of the next statements in the place of its answer, when the server has committed it. */
  loseAnswers(count: number): void;
  /** How many connections a mode has cut or silenced so far. */
  readonly broken: number;
  close(): Promise<void>;
}

export interface TcpProxyOptions {
  /** How long `wake` holds a new connection back. */
  wakeMs?: number;
}

/** A way to the server at `url`, a database's say, that a test can cut, silence and mend. */
export async function startTcpProxy(
  url: string,
  defaultPort: number,
  { wakeMs = 6_000 }: TcpProxyOptions = {},
): Promise<TcpProxy> {
  const target = new URL(url);
  const to = { host: target.hostname, port: Number(target.port || defaultPort) };
  let mode: ProxyMode = "pass";
  let roundTripMs = 0;
  let broken = 0;
  let losing = 0;
  const open = new Set<Pair>();
  const server = createServer((near) => {
    const far = connect(to);
    const pair: Pair = { near, far, isSilent: false, isAnswerLost: false };
    open.add(pair);
    if (mode === "wake") holdBack(pair, wakeMs);
    near.on("data", (bytes) => {
      if (pair.isSilent) return;
      if (mode === "cut" && isStatement(bytes)) {
        broken += 1;
        return cut(near);
      }
      if (losing > 0 && !pair.isAnswerLost && isStatement(bytes)) {
        losing -= 1;
        broken += 1;
        pair.isAnswerLost = true;
      }
      if (mode === "blackhole" && isStatement(bytes)) return silence(pair);
      later(() => far.write(bytes));
    });
    far.on("data", (bytes) => {
      if (pair.isAnswerLost) {
        if (isReady(bytes)) cut(near);
        return;
      }
      if (!pair.isSilent) later(() => near.write(bytes));
    });
    near.on("end", () => later(() => far.end()));
    far.on("end", () => {
      if (!pair.isSilent) later(() => near.end());
    });
    // What ends on one side without a goodbye ends so on the other.
    near.on("error", () => cut(far));
    far.on("error", () => {
      if (!pair.isSilent) cut(near);
    });
    near.once("close", () => {
      open.delete(pair);
      far.destroy();
    });
    far.once("close", () => {
      if (!pair.isSilent) near.destroy();
    });
  });
  /** Timers of one length end in the order in which they began. */
  const later = (work: () => void) => {
    if (roundTripMs === 0) work();
    else systemClock.after(roundTripMs / 2, work);
  };
  const silence = (pair: Pair) => {
    if (!pair.isSilent) broken += 1;
    pair.isSilent = true;
  };
  const listener = await listenSwitchably(server);
  const through = new URL(url);
  through.hostname = "127.0.0.1";
  through.port = String(listener.port);
  return {
    url: through.href,
    connections: listener.connections,
    get broken() {
      return broken;
    },
    setMode: (next) => void (mode = next),
    setRoundTrip: (ms) => void (roundTripMs = ms),
    loseAnswers: (count) => void (losing += count),
    freeze: () => open.forEach(silence),
    goDown: listener.goDown,
    comeUp: listener.comeUp,
    close: listener.goDown,
  };
}

interface Pair {
  near: Socket;
  far: Socket;
  isSilent: boolean;
  isAnswerLost: boolean;
}

/** Query, Parse or Bind. https://www.postgresql.org/docs/current/protocol-message-formats.html */
function isStatement(bytes: Buffer): boolean {
  return /^[QPB]/.test(bytes.toString("latin1", 0, 1));
}

/** ReadyForQuery outside of a transaction, which ends the answer of a statement that was committed. */
function isReady(bytes: Buffer): boolean {
  return bytes.toString("latin1").endsWith("Z\0\0\0\u0005I");
}

function holdBack({ near, far }: Pair, ms: number): void {
  far.cork();
  const cancel = systemClock.after(ms, () => far.uncork());
  near.once("close", cancel);
}
