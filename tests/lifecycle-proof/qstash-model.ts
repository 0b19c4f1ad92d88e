import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { systemClock } from "#platform/clock.ts";

import { qstashHost } from "./road.ts";

/** QStash seen from a function: it thinks for a while about each message, and then has it. */
export interface QstashModel {
  /** For the functions; followed by `/` and how long it thinks, in milliseconds. */
  url: string;
  /** When it took the message with that text, as `performance.now()` counts; undefined if it has not. */
  takenAt(text: string): number | undefined;
  /** Resolves once it has decided about what it has received, until now, of messages with that text. */
  decided(text: string): Promise<void>;
  close(): Promise<void>;
}

interface Message {
  body: string;
  takenAt: number | undefined;
  decided: Promise<void>;
}

/**
 * It takes a message at the end of its thinking, if the sender is still there to hear of it. That of a frozen function
 * is: its system keeps the connection. Each message comes over a connection of its own, as the first of an instance
 * does, and one after a pause in which the idle connection was closed.
 */
export async function startQstashModel(): Promise<QstashModel> {
  const messages: Message[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.once("end", () => {
      let decide = () => {};
      const decided = new Promise<void>((resolve) => {
        decide = resolve;
      });
      const message: Message = { body: Buffer.concat(chunks).toString(), takenAt: undefined, decided };
      messages.push(message);
      const cancel = systemClock.after(Number(request.url?.split("/")[1]), () => {
        message.takenAt = performance.now();
        response.writeHead(200, { "content-type": "application/json", connection: "close" });
        response.end('{"messageId":"msg_1"}');
        decide();
      });
      response.once("close", () => {
        cancel();
        decide();
      });
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const withText = (text: string) => messages.filter(({ body }) => body.includes(text));

  return {
    url: `http://${qstashHost}:${port}`,
    takenAt: (text) => withText(text).find(({ takenAt }) => takenAt !== undefined)?.takenAt,
    async decided(text) {
      // Connections are accepted in their order: what a function had sent before this has been read when it is answered.
      const response = await fetch(`http://127.0.0.1:${port}/0`, { signal: AbortSignal.timeout(10_000) });
      await response.text();
      await Promise.all(withText(text).map(({ decided }) => decided));
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
