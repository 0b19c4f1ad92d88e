/**
 * One HTTP request over Node's own client, which does what `fetch` may not: the same header twice, a body in pieces,
 * one that never ends.
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
  /** The body, one write each. */
  pieces: readonly Uint8Array[];
  /** Between two pieces. */
  pauseMs: number;
  /** `false`: the rest of the body never comes. */
  ends: boolean;
  /** Without one, each request has a connection of its own. */
  agent?: Agent;
  /** For everything, the answer's body included. */
  limitMs: number;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Its first 256 kB. */
  text: string;
  /** From the last byte sent to the last received. */
  ms: number;
}

/** No answer, with the reason as half a sentence. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
  /** What the operating system or Node calls it, `LIMIT` for our own patience. */
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

const answerBytesMax = 262_144;
/** Who asks for `100 Continue` need not wait for it for ever (RFC 9110, 10.1.1). */
const continueLimitMs = 1_000;

/** Redirects are not followed. Rejects with `NoAnswer`. */
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
      // A server may answer and close while we still send: then the answer counts.
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
        // An agent keeps the connection, unless the rest of the body is still to come.
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
    const told = new Promise<void>((tell) => void request.once("continue", tell));
    await settleWithin(clock, continueLimitMs, told);
  }
  for (const [index, piece] of outgoing.pieces.entries()) {
    if (index > 0 && outgoing.pauseMs > 0) await sleep(clock, outgoing.pauseMs);
    if (isOver()) return;
    request.write(piece);
  }
  if (outgoing.ends) request.end();
}

/** Never rejects: of an answer that breaks off, what came. */
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
    // The status is what counts.
  }
  return Buffer.concat(chunks).subarray(0, answerBytesMax).toString();
}
