import {
  Agent,
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as sendRequest,
  type ServerResponse,
} from "node:http";

import { sleep, systemClock } from "#platform/clock.ts";

import { cut, listenSwitchably, type SwitchableListener } from "./switchable-listener.ts";

/** What becomes of a request: a wait, then whether the server behind gets it, then what its sender gets. */
export interface Fault {
  /** How long it lies there first; a sender who leaves meanwhile takes it along. */
  delayMs?: number;
  /** Whether the server behind gets it; `instead` may hide from the sender that it did. */
  forwards: boolean;
  /** In the place of the answer: another one, a connection that is reset, or nothing ever. */
  instead?: Answer | "reset" | "nothing";
  /** So long after the answer the server behind gets the request once more; nobody hears what it answers. */
  againAfterMs?: number;
}

export interface Answer {
  status: number;
  headers?: OutgoingHttpHeaders;
  body?: Buffer;
}

/** The fault for a request, the n-th of those asked about since this was set, or null to let it pass. */
export type ChooseFault = (request: { path: string }, index: number) => Fault | null;

export interface HttpFaultProxy extends Pick<SwitchableListener, "connections" | "goDown" | "comeUp"> {
  /** Without a slash at the end. */
  url: string;
  /** Requests so far, and those of them that met a fault. */
  readonly requests: { seen: number; faulted: number };
  /** For the requests from now on; those that are here already keep theirs. Null lets everything pass. */
  setFault(choose: ChooseFault | null): void;
  /** Cuts what is open. */
  close(): Promise<void>;
}

export interface HttpFaultProxyOptions {
  /** The server behind, without a slash at the end. */
  target: string;
  /**
   * Puts `Retry-After` on answers of 500 and above, and answers 502 where nobody listens, as a load balancer would.
   * Without it those pass as they are, and the sender of a request that nobody takes has its connection reset.
   */
  retryAfterSeconds?: number;
}

/** Node's servers close what was idle for five seconds; a request must not be sent into that moment. */
const idleMs = 2_000;

/** An HTTP server that passes everything on to another one, unless a test tells it what to do instead. */
export async function startHttpFaultProxy({
  target,
  retryAfterSeconds,
}: HttpFaultProxyOptions): Promise<HttpFaultProxy> {
  const retryAfter = retryAfterSeconds === undefined ? null : { "retry-after": String(retryAfterSeconds) };
  const agent = new Agent({ keepAlive: true, timeout: idleMs });
  const unreachable: Answer | null = retryAfter === null ? null : { status: 502 };
  const requests = { seen: 0, faulted: 0 };
  let choose: ChooseFault | null = null;
  let asked = 0;
  let closed = false;

  const server = createServer((incoming, outgoing) => {
    requests.seen += 1;
    const fault = choose?.({ path: incoming.url ?? "" }, asked++) ?? null;
    if (fault !== null) requests.faulted += 1;
    void answer(incoming, outgoing, fault ?? { forwards: true });
  });

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse, fault: Fault): Promise<void> {
    const body = await readAll(incoming);
    if (body === null) return;
    if (fault.delayMs !== undefined) await sleep(systemClock, fault.delayMs);
    if (closed || outgoing.destroyed) return;
    const { instead } = fault;
    const real = fault.forwards ? await forward(incoming, body) : undefined;
    if (fault.againAfterMs !== undefined) {
      systemClock.after(fault.againAfterMs, () => {
        if (!closed) void forward(incoming, body);
      });
    }
    if (instead === "nothing") return;
    const given = typeof instead === "object" ? instead : instead === undefined ? (real ?? unreachable) : null;
    if (given === null) {
      if (outgoing.socket) cut(outgoing.socket);
    } else {
      const headers = given.status >= 500 ? { ...given.headers, ...retryAfter } : given.headers;
      outgoing.writeHead(given.status, headers).end(given.body);
    }
  }

  /** The answer of the server behind; undefined if there was none. */
  function forward({ method, url, headers }: IncomingMessage, body: Buffer): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      const options = { method, headers: onward(headers), agent };
      const forwarded = sendRequest(`${target}${url}`, options, (response) => {
        void readAll(response).then((answered) =>
          resolve(
            answered === null
              ? undefined
              : { status: response.statusCode ?? 502, headers: onward(response.headers), body: answered },
          ),
        );
      });
      forwarded.on("error", () => resolve(undefined));
      forwarded.end(body);
    });
  }

  const listener = await listenSwitchably(server);
  return {
    url: `http://127.0.0.1:${listener.port}`,
    requests,
    connections: listener.connections,
    setFault(next) {
      choose = next;
      asked = 0;
    },
    goDown: listener.goDown,
    comeUp: listener.comeUp,
    async close() {
      closed = true;
      await listener.goDown();
      agent.destroy();
    },
  };
}

/** Null if it broke off. */
function readAll(stream: IncomingMessage): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("end", () => resolve(Buffer.concat(chunks)));
    stream.once("close", () => resolve(null));
    stream.on("error", () => {});
  });
}

/** What belongs to one connection stays there; the body is whole, so that its length is known. */
function onward(headers: IncomingMessage["headers"]): IncomingMessage["headers"] {
  const { connection: _connection, "keep-alive": _keepAlive, "transfer-encoding": _encoding, ...rest } = headers;
  return rest;
}
