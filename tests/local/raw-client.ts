/** A client that sends bytes of its own making, and keeps what it hears. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface RawClient {
  socket: Socket;
  /** Resolves once all of it is with the system; false if the connection broke before. */
  send(bytes: string | Uint8Array): Promise<boolean>;
  /** Resolves with all that was heard once it contains this; fails if the connection closes first. */
  until(text: string): Promise<string>;
  heard(): string;
  closed: Promise<void>;
}

export async function openRawClient(port: number): Promise<RawClient> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  let heard = "";
  let isClosed = false;
  socket.on("data", (chunk: Buffer) => {
    heard += chunk.toString("latin1");
  });
  // The other side has ended or reset the connection.
  const closed = new Promise<void>((resolve) => {
    const close = () => {
      isClosed = true;
      resolve();
      socket.destroy();
    };
    socket.once("end", close).once("close", close);
  });
  return {
    socket,
    closed,
    heard: () => heard,
    send: (bytes) => new Promise((resolve) => socket.write(bytes, (error) => resolve(!error))),
    until: async (text) => {
      while (!heard.includes(text)) {
        if (isClosed) throw new Error(`The connection closed; heard: ${heard}`);
        await Promise.race([once(socket, "data"), closed]);
      }
      return heard;
    },
  };
}

export function head(line: string, ...headers: string[]): string {
  return [`${line} HTTP/1.1`, "Host: relay.test", ...headers, "", ""].join("\r\n");
}
