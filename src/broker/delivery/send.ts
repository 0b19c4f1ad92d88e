import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as requestHttp,
} from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";

import type { Clock } from "#platform/clock.ts";

import { decodeHeaderText } from "../header-text.ts";
import { canonicalHeaderName, type HeaderMap } from "../message.ts";

export interface SendRequest {
  url: string;
  method: string;
  /** Values as they go over the wire, one character for each byte. */
  headers: OutgoingHttpHeaders;
  body: Uint8Array;
  signal: AbortSignal;
}

export interface SendResponse {
  status: number;
  header: HeaderMap;
  /** The beginning, if the body is long, breaks or does not end in time. */
  body: Uint8Array;
}

/** Sends requests to receivers, over connections that are kept. */
export interface Sender {
  /** Rejects if no response comes: with the signal's reason, or with what broke. Redirects are responses. */
  send(request: SendRequest): Promise<SendResponse>;
  /** Closes the connections that are kept. */
  close(): void;
}

/** Cookies and policies of real receivers pass Node's default of 16 kB. */
const headBytesMax = 256 * 1024;
const bodyBytesMax = 1024 * 1024;
/** How long the body may take after the status: the status alone decides, and other messages need the slot. */
const bodyMsMax = 15_000;

/**
 * Not `fetch`: it refuses addresses with credentials and some ports, sends no body with GET, and gives up on heads over
 * 16 kB and on responses that begin after five minutes. QStash's own client does none of this.
 */
export function createSender(clock: Clock): Sender {
  const agents = { "http:": new HttpAgent({ keepAlive: true }), "https:": new HttpsAgent({ keepAlive: true }) };

  const attempt = (request: SendRequest, isRepeated: boolean): Promise<SendResponse> =>
    new Promise((resolve, reject) => {
      const url = new URL(request.url);
      const options = { method: request.method, headers: request.headers, maxHeaderSize: headBytesMax };
      const outgoing: ClientRequest =
        url.protocol === "https:"
          ? requestHttps(url, { ...options, agent: agents["https:"] })
          : requestHttp(url, { ...options, agent: agents["http:"] });
      const abort = () => outgoing.destroy(toError(request.signal.reason));
      request.signal.addEventListener("abort", abort, { once: true });
      let hasResponse = false;
      // More than one error may come, and after the response they say nothing new.
      outgoing.on("error", (error: NodeJS.ErrnoException) => {
        if (hasResponse) return;
        // The receiver closed an idle connection at the moment it was used again; the request did not reach it.
        const isStale = outgoing.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
        if (isStale && !isRepeated && !request.signal.aborted) resolve(attempt(request, true));
        else reject(error);
      });
      outgoing.once("close", () => {
        request.signal.removeEventListener("abort", abort);
        // Without an error, too: the receiver switched to another protocol.
        if (!hasResponse) reject(new Error("the connection was closed without a response"));
      });
      outgoing.once("response", (incoming) => {
        hasResponse = true;
        const { statusCode: status = 0, rawHeaders } = incoming;
        // The promise itself goes to `resolve`, so an error in this chain rejects the request.
        resolve(readBeginning(incoming, clock).then((body) => ({ status, header: toHeaderMap(rawHeaders), body })));
      });
      if (request.signal.aborted) abort();
      outgoing.end(request.body);
    });

  return {
    send: (request) => attempt(request, false),
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** Never rejects: a body that breaks changes nothing about the status that came before it. */
function readBeginning(incoming: IncomingMessage, clock: Clock): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = () => {
      cancelLimit();
      resolve(Buffer.concat(chunks));
      if (!incoming.complete) incoming.destroy();
    };
    const cancelLimit = clock.after(bodyMsMax, finish);
    incoming.on("data", (chunk: Buffer) => {
      chunks.push(chunk.subarray(0, bodyBytesMax - bytes));
      bytes += chunk.byteLength;
      if (bytes >= bodyBytesMax) finish();
    });
    incoming.once("end", finish);
    incoming.on("error", finish);
    incoming.once("close", finish);
  });
}

/** Go's `http.Header` as JSON, from Node's list of names and values. */
function toHeaderMap(rawHeaders: readonly string[]): HeaderMap {
  const map = new Map<string, string[]>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = canonicalHeaderName(rawHeaders[index] ?? "");
    const value = decodeHeaderText(rawHeaders[index + 1] ?? "");
    const values = map.get(name);
    if (values) values.push(value);
    else map.set(name, [value]);
  }
  return Object.fromEntries(map);
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("the delivery was aborted");
}
