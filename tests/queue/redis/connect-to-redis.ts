import { once } from "node:events";
import { connect } from "node:net";

/** What Redis answers: an error is an `Error`, and bytes are a `Buffer`. https://redis.io/docs/latest/develop/reference/protocol-spec/ */
export type Reply = string | number | Buffer | null | Error | Reply[];

export interface RespConnection {
  /** Rejects if the connection ends. */
  ask: (command: readonly (string | number)[]) => Promise<Reply>;
  close: () => void;
}

/** One connection to a Redis server, by its own protocol, version 2. */
export async function connectToRedis(port: number): Promise<RespConnection> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = [];
  let received = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    for (;;) {
      const read = readReply(received, 0);
      if (read === null) return;
      received = received.subarray(read.end);
      waiting.shift()?.resolve(read.reply);
    }
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    for (const { reject } of waiting.splice(0)) reject(new Error("Redis closed the connection"));
  });
  return {
    ask: (command) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) {
          reject(new Error("Redis closed the connection"));
          return;
        }
        waiting.push({ resolve, reject });
        const parts = command.map(String);
        const bulks = parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
        socket.write(`*${parts.length}\r\n${bulks.join("")}`);
      }),
    close: () => socket.destroy(),
  };
}

/** The reply that begins at `start`, and where it ends; null if it is not there as a whole. */
function readReply(bytes: Buffer, start: number): { reply: Reply; end: number } | null {
  const lineEnd = bytes.indexOf("\r\n", start);
  if (lineEnd < 0) return null;
  const line = bytes.toString("utf8", start + 1, lineEnd);
  const kind = String.fromCharCode(bytes[start] ?? 0);
  let end = lineEnd + 2;
  if (kind === "+") return { reply: line, end };
  if (kind === "-") return { reply: new Error(line), end };
  const count = Number(line);
  if (kind === ":") return { reply: count, end };
  if (count < 0) return { reply: null, end };
  if (kind === "$") {
    if (bytes.byteLength < end + count + 2) return null;
    return { reply: Buffer.from(bytes.subarray(end, end + count)), end: end + count + 2 };
  }
  const replies: Reply[] = [];
  while (replies.length < count) {
    const next = readReply(bytes, end);
    if (next === null) return null;
    replies.push(next.reply);
    end = next.end;
  }
  return { reply: replies, end };
}
