import { createServer, type IncomingHttpHeaders } from "node:http";

import { eventually } from "./eventually.ts";
import { listenOnTestPort } from "./test-port.ts";

/** Less than a test may take, so that a failure names the state. */
const waitLimitMs = 15_000;

interface SinkRequest {
  method: string;
  /** The request target as it arrived. */
  target: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface SinkResponse {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
}

/** What the sink answers to its n-th request, counted from 0; a promise that stays pending is a receiver that hangs. */
export type Respond = (request: SinkRequest, index: number) => SinkResponse | Promise<SinkResponse>;

export interface Sink {
  /** Without a slash at the end. */
  url: string;
  /** All requests so far. */
  requests: readonly SinkRequest[];
  /** The oldest request that no `next` has returned yet; waits for it if need be, and throws if none comes in time. */
  next(): Promise<SinkRequest>;
  /** Resolves once so many requests have been given up by their senders, unanswered; throws if they are not in time. */
  abandoned(count: number): Promise<void>;
  close(): Promise<void>;
}

/** An HTTP server that records what it receives; it answers 200 unless told otherwise. */
export async function startSink({ respond = () => ({}) }: { respond?: Respond } = {}): Promise<Sink> {
  const requests: SinkRequest[] = [];
  const unread: SinkRequest[] = [];
  let abandoned = 0;

  const server = createServer((incoming, outgoing) => {
    outgoing.once("close", () => {
      if (!outgoing.writableFinished) abandoned += 1;
    });
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const { method = "", url: target = "", headers } = incoming;
      const request = { method, target, headers, body: Buffer.concat(chunks) };
      const index = requests.push(request) - 1;
      unread.push(request);
      void Promise.resolve(respond(request, index)).then(({ status = 200, headers: answer = {}, body = "" }) =>
        outgoing.writeHead(status, answer).end(body),
      );
    });
  });
  const port = await listenOnTestPort(server);
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    next: () => eventually("the sink receives another request", () => unread.shift(), waitLimitMs),
    async abandoned(count) {
      await eventually(`senders give up ${count} requests to the sink`, () => abandoned >= count, waitLimitMs);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
