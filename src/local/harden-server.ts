import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import type { Clock } from "#platform/clock.ts";
import type { DirectAnswer } from "#platform/direct-routes.ts";
import { requestErrors } from "#platform/request-errors.ts";

import { answerDirectly } from "./answer-directly.ts";
import { detachRequest } from "./detach-request.ts";
import { allowedMethods, findRequestFault, originForm } from "./find-request-fault.ts";
import { createGracefulShutdown } from "./graceful-shutdown.ts";
import { createLargeBodyLimit, type LargeBodyLimitOptions } from "./large-body-limit.ts";
import { type ConnectionLimits, limitConnection, type LimitedConnection } from "./limit-connection.ts";
import { isAtSignedPath, type SignedPath, withholdBody } from "./withhold-body.ts";

export interface HardenServerOptions {
  /** The beginning of the paths at which our edge route calls our Node routes; they are served while the server stops. */
  internalPath: string;
  /** Where a balancer asks whether it may send requests here: 503 from the moment on that the server is asked to stop. */
  readyPath: string;
  /** In milliseconds, see `createGracefulShutdown`. */
  leaveMs: number;
  webhook: SignedPath;
  /**
   * The beginning of the paths whose answers are a few bytes. Next would compress each whose length it does not know, and
   * the client would unpack it: that costs both more than the rest of the answer. And it would send the head by itself.
   */
  shortAnswerPaths: readonly string[];
  limits: ConnectionLimits;
  bodies: LargeBodyLimitOptions;
  /** Below the number of files that the process may open, so that our own calls to QStash and Postgres get through. */
  connectionsMax: number | undefined;
  /** The direct route at this path; undefined if the listeners are to answer. */
  findDirectAnswer: (path: string) => DirectAnswer | undefined;
  clock: Clock;
}

/**
 * Adds to a server what `next start` lacks on the open Internet. The server must have its request listeners already.
 *
 * - A request that would only make Next fail is refused: `findRequestFault`.
 * - A connection is served one request at a time and within time limits: `limitConnection`.
 * - The body of an unsigned delivery is not read, and large bodies are read a few at a time: `withholdBody`,
 *   `createLargeBodyLimit`.
 * - A POST with a body to a direct route is answered by the route's function, past the listeners: `answerDirectly`.
 * - An upgrade is ignored: `ignoreUpgrades`.
 * - A server that is asked to stop says so to its balancer first, and still serves the calls of our own forwards:
 *   `createGracefulShutdown`.
 */
export function hardenServer(server: Server, options: HardenServerOptions): void {
  const { connectionsMax, clock } = options;
  const headTimeoutMs = options.limits.headTimeoutMs + server.keepAliveTimeout;
  const limits = { ...options.limits, headTimeoutMs };
  // A connection that was opened before this call is limited from its next request on. Until then Node's own limits apply,
  // which it checks every 30 s.
  server.headersTimeout = headTimeoutMs;
  server.requestTimeout = headTimeoutMs + limits.bodyTimeoutMs;
  if (connectionsMax !== undefined) server.maxConnections = connectionsMax;

  const connections = new WeakMap<Socket, LimitedConnection>();
  const connectionOf = (socket: Socket) => {
    const connection = connections.get(socket) ?? limitConnection(socket, limits, clock);
    connections.set(socket, connection);
    return connection;
  };
  server.on("connection", connectionOf);
  const serve = createService(server, options);
  server.removeAllListeners("request");
  server.on("request", (request, response) => {
    connectionOf(request.socket).take(request, response, () => serve(request, response));
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    if (!connectionOf(socket).isIdle() || !socket.writable) return void socket.destroy();
    socket.write(answerUnparsable(error));
    socket.destroySoon();
  });
  ignoreUpgrades(server);
}

/** Answers a request, or passes it on to the listeners that the server had. */
function createService(server: Server, options: HardenServerOptions): RequestListener {
  const { internalPath, readyPath, webhook } = options;
  const readWhenAllowed = createLargeBodyLimit(options.bodies);
  const shutdown = createGracefulShutdown(server, options);
  const listeners = server.listeners("request") as RequestListener[];

  return (request, response) => {
    request.url = originForm(request.url ?? "");
    const isInternal = request.url.startsWith(internalPath);
    const isRefused = shutdown.isLeaving() && request.url === readyPath;
    if (isRefused || (!isInternal && !shutdown.admit(response))) {
      return refuse(response, 503, "STOPPING", "The server is stopping");
    }
    const fault = findRequestFault(request);
    if (fault) return refuse(response, fault.status, fault.code, fault.message);
    if (request.headers.upgrade !== undefined) response.setHeader("connection", "close");
    hideServerAction(request);
    if (options.shortAnswerPaths.some((path) => request.url?.startsWith(path))) {
      delete request.headers["accept-encoding"];
      // The head goes out with the body: a packet less to send and to receive.
      response.flushHeaders = () => {};
    }

    const pass = (passed: IncomingMessage) => {
      for (const listener of listeners) listener.call(server, passed, response);
    };
    if (!hasBody(request)) return pass(request);
    const withoutBody = withholdBody(request, webhook);
    if (withoutBody) return pass(withoutBody);
    readWhenAllowed(request, response, () => {
      const detached = detachRequest(request, isAtSignedPath(request, webhook) ? webhook.bytesMax : Infinity);
      const answer = request.method === "POST" ? options.findDirectAnswer(request.url ?? "") : undefined;
      if (answer === undefined) pass(detached);
      else void answerDirectly(detached, response, answer, shutdown.waitFor);
    });
  };
}

/**
 * The application has no Server Actions. Next looks for one if a request has the header `next-action` or sends a multipart
 * form to a page, and logs an error if it finds none; so any client could fill the log. No route of ours reads such a form.
 */
function hideServerAction({ headers }: IncomingMessage): void {
  delete headers["next-action"];
  if (headers["content-type"]?.startsWith("multipart/form-data")) delete headers["content-type"];
}

/**
 * Next leaves an upgrade to a WebSocket server of the application, so without one it never answers. Without a listener
 * Node answers an upgrade like any other request, as RFC 9110, 7.8 allows. Next adds a second listener at its first request.
 */
function ignoreUpgrades(server: Server): void {
  server.removeAllListeners("upgrade");
  server.on("newListener", (event) => {
    if (event === "upgrade") queueMicrotask(() => server.removeAllListeners("upgrade"));
  });
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  if (status === requestErrors.METHOD_NOT_ALLOWED) response.setHeader("allow", allowedMethods);
  response.writeHead(status, refusalHeaders).end(errorBody(code, message));
}

/** Like `refuse`, for bytes that Node's parser does not accept as a request. */
function answerUnparsable(error: NodeJS.ErrnoException): string {
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ""] ?? 400;
  const body = errorBody("REQUEST_INVALID", "The server cannot read this HTTP request");
  const headers = Object.entries({ ...refusalHeaders, "content-length": body.length });
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

const refusalHeaders = {
  "content-type": "application/json",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  connection: "close",
};

function errorBody(code: string, message: string): string {
  return JSON.stringify({ error: { code, message } });
}
