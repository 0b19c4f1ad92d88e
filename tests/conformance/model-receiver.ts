/** A small receiver over node:http that passes all cases, except for the faults it is given. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { appSecret } from "../cli/relay-process.ts";

export interface Faults {
  /** Accepts every delivery. */
  checksNoSignature?: boolean;
  /** Checks the signature over the body as JSON.stringify rewrites it. */
  rewritesBody?: boolean;
  revealsSignature?: boolean;
  acceptsAnyToken?: boolean;
  readsChallengeAsNumber?: boolean;
  answersChallengeAsHtml?: boolean;
  bodyBytesMax?: number;
  /** Throws on entries without `messaging`. */
  throwsOnChanges?: boolean;
  redirects?: boolean;
  waitsForever?: boolean;
}

/** The token of its handshake. */
export const verifyToken = "the-verify-token";

const stallLimitMs = 8_000;

/** Listens on a free port until it is closed. */
export async function startModelReceiver(faults: Faults = {}): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    // A sender that closes the connection has its answer, or does not wait for one.
    request.on("error", () => {});
    void answer(request, response, faults).catch(() => response.writeHead(500).end());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/hooks`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, faults: Faults): Promise<void> {
  if (faults.redirects) return void response.writeHead(308, { location: "/hooks/" }).end();
  if (request.method === "GET") return shakeHands(request, response, faults);
  if (request.method !== "POST") return void response.writeHead(405).end();
  const stall = setTimeout(() => response.writeHead(408, { connection: "close" }).end(), stallLimitMs);
  if (faults.waitsForever) clearTimeout(stall);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes <= (faults.bodyBytesMax ?? 4_000_000)) chunks.push(chunk);
  }
  clearTimeout(stall);
  if (response.writableEnded) return;
  if (bytes > (faults.bodyBytesMax ?? 4_000_000)) return void response.writeHead(413).end();
  const body = Buffer.concat(chunks);
  const signed = faults.rewritesBody ? Buffer.from(JSON.stringify(JSON.parse(body.toString()))) : body;
  const expected = `sha256=${createHmac("sha256", appSecret).update(signed).digest("hex")}`;
  const given = String(request.headers["x-hub-signature-256"] ?? "");
  const isGenuine = given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected));
  if (!isGenuine && !faults.checksNoSignature) {
    return void response.writeHead(401).end(faults.revealsSignature ? `expected ${expected}` : "");
  }
  if (faults.throwsOnChanges) readMessaging(body);
  response.writeHead(200).end("ok");
}

function shakeHands(request: IncomingMessage, response: ServerResponse, faults: Faults): void {
  const { searchParams } = new URL(request.url ?? "", "http://localhost");
  const read = (name: string) => searchParams.get(`hub.${name}`) ?? searchParams.get(`hub_${name}`);
  const challenge = read("challenge");
  const isAccepted = read("verify_token") === verifyToken || faults.acceptsAnyToken;
  if (!isAccepted || read("mode") !== "subscribe" || challenge === null) return void response.writeHead(403).end();
  const type = faults.answersChallengeAsHtml ? "text/html" : "text/plain";
  response
    .writeHead(200, { "content-type": type })
    .end(faults.readsChallengeAsNumber ? String(Number(challenge)) : challenge);
}

function readMessaging(body: Buffer): void {
  const { entry } = JSON.parse(body.toString()) as { entry: { messaging: Iterable<unknown> }[] };
  for (const { messaging } of entry) [...messaging].forEach(() => {});
}
