import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { systemClock } from "#platform/clock.ts";

import { qstashHost } from "./slow-lookup.ts";

/** QStash as a function sees it: it takes some time to accept a message. */
export interface QstashModel {
  /** The functions append `/` and the time that QStash takes, in milliseconds. */
  url: string;
  /** When it accepted the message with that text, by `performance.now()`; undefined if it has not. */
  takenAt(text: string): number | undefined;
  /** Resolves once every message with that text that it has received so far is accepted or given up. */
  decided(text: string): Promise<void>;
  close(): Promise<void>;
}

interface Message {
  body: string;
  takenAt: number | undefined;
  decided: Promise<void>;
}

/**
 * Accepts a message after the given time if the sender's connection is still open; the operating system keeps that of a
 * frozen function open. Each message arrives over a connection of its own, like the first message of an instance and like
 * one after a pause that has closed an idle connection.
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
      // The server accepts connections in order, so it has read all earlier messages when it answers this one.
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
