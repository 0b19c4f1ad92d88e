import { createServer, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";

import { listenOnTestPort } from "./test-port.ts";

export interface FetchServer {
  /** Without a slash at the end. */
  url: string;
  close(): Promise<void>;
}

/** Answers requests by a function of ours, as Next calls a route. */
export async function startFetchServer(answer: (request: Request) => Promise<Response>): Promise<FetchServer> {
  let url = "";
  const server = createServer((incoming, outgoing) => {
    void toRequest(incoming, url)
      .then(answer)
      .then(async (response) => {
        outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text());
      })
      .catch(() => outgoing.destroy());
  });
  url = `http://127.0.0.1:${await listenOnTestPort(server)}`;
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function toRequest(incoming: IncomingMessage, base: string): Promise<Request> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, String(value));
  const body = incoming.method === "GET" ? null : new Uint8Array(await buffer(incoming));
  return new Request(`${base}${incoming.url ?? ""}`, { method: incoming.method ?? "GET", headers, body });
}
