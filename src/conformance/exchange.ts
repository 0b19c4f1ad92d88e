/**
 * One HTTP request by Node's client, which can do what `fetch` cannot: send a header twice, send a body in pieces, and stop
 * in the middle of it.
 */
import {
  type Agent,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
} from "node:http";
import { request as httpsRequest } from "node:https";

import { type Clock, settleWithin, sleep } from "#platform/clock.ts";

export interface Outgoing {
  method: string;
  /** A list sends the header once for each value. */
  headers: Record<string, string | string[]>;
  /** The body; each piece is one write. */
  pieces: readonly Uint8Array[];
  /** Between two pieces. */
  pauseMs: number;
  /** `false`: the request is never completed. */
  ends: boolean;
  /** Keeps the connection for later requests. Without an agent each request has a connection of its own. */
  agent?: Agent;
  /** For the whole exchange, including the answer's body. */
  limitMs: number;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Its first 256 kB. */
  text: string;
  /** From the last byte sent to the last one received, in milliseconds; 0 if the answer came first. */
  ms: number;
}

/** The receiver did not answer. The message is the reason, as half a sentence. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
  /** The error code of Node or the operating system; `LIMIT` if the time limit passed. */
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

const answerBytesMax = 262_144;
/** A client must not wait indefinitely for `100 Continue` (RFC 9110, 10.1.1). */
const continueLimitMs = 1_000;

/** Resolves with the answer, within `limitMs`; does not follow redirects. Rejects with `NoAnswer`. */
export function exchange(url: string, outgoing: Outgoing, clock: Clock): Promise<Answer> {
  const { method, headers, agent, limitMs } = outgoing;
  return new Promise((resolve, reject) => {
    const open = url.startsWith("https:") ? httpsRequest : httpRequest;
    const request = open(url, { method, headers, agent: agent ?? false });
    let sentAtMs = clock.monotonicMs();
    let isOver = false;
    const fail = (message: string, code: string) => {
      isOver = true;
      cancelLimit();
      request.destroy();
      reject(new NoAnswer(message, code));
    };
    const cancelLimit = clock.after(limitMs, () => fail(`no answer within ${limitMs / 1000} s`, "LIMIT"));
    request.on("finish", () => {
      sentAtMs = clock.monotonicMs();
    });
    request.on("error", (error) => {
      // A server may answer and close the connection before the body is sent. Then the answer counts.
      if (isOver) return;
      const code = (error as NodeJS.ErrnoException).code ?? "UNKNOWN";
      fail(`the connection ended without an answer (${code})`, code);
    });
    request.on("response", (response) => {
      const isEarly = !request.writableFinished;
      void readText(response).then((text) => {
        if (isOver) return;
        isOver = true;
        cancelLimit();
        // The agent keeps the connection, unless part of the body is unsent.
        if (agent === undefined || isEarly) request.destroy();
        const ms = isEarly ? 0 : clock.monotonicMs() - sentAtMs;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, ms });
      });
    });
    void send(request, outgoing, clock, () => isOver);
  });
}

async function send(request: ClientRequest, outgoing: Outgoing, clock: Clock, isOver: () => boolean): Promise<void> {
  if (Object.keys(outgoing.headers).some((name) => name.toLowerCase() === "expect")) {
    request.flushHeaders();
    const continued = new Promise<void>((resolve) => void request.once("continue", resolve));
    await settleWithin(clock, continueLimitMs, continued);
  }
  for (const [index, piece] of outgoing.pieces.entries()) {
    if (index > 0 && outgoing.pauseMs > 0) await sleep(clock, outgoing.pauseMs);
    if (isOver()) return;
    request.write(piece);
  }
  if (outgoing.ends) request.end();
}

/** Never rejects: resolves with the part that arrived if the connection breaks. */
async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes >= answerBytesMax) break;
    }
  } catch {
    // The status has arrived, and the cases judge mainly by it.
  }
  return Buffer.concat(chunks).subarray(0, answerBytesMax).toString();
}
