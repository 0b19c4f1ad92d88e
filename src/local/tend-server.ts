import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import type { Clock } from "#platform/clock.ts";
import { requestErrors } from "#platform/errors.ts";

import { type BodySlotOptions, createBodySlots } from "./body-slots.ts";
import { type Connection, type ConnectionLimits, tendConnection } from "./connection.ts";
import { detachRequest } from "./detached-request.ts";
import { createDoor } from "./door.ts";
import { allowedMethods, findRequestFault, originForm } from "./request-fault.ts";
import { isSigned, type SignedPath, withholdBody } from "./withheld-body.ts";

export interface TendServerOptions {
  /** Where our own webhook calls our own Node routes. */
  internalPath: string;
  webhook: SignedPath;
  limits: ConnectionLimits;
  bodies: BodySlotOptions;
  /** Fewer than the process may open files, so that our own calls to QStash and Postgres get through. */
  connectionsMax: number | undefined;
  clock: Clock;
}

/**
 * What `next start` lacks to host the relay on the open internet; for a server that has its own listeners already.
 *
 * - A request that would only make Next fail is refused, see `findRequestFault`.
 * - A connection is served one request at a time and within limits, see `tendConnection`.
 * - What nobody signed costs no memory, and the rest little, see `withholdBody` and `createBodySlots`.
 * - An upgrade is ignored, see `ignoreUpgrades`.
 * - A server told to stop still takes the calls of our own forwards, see `createDoor`.
 */
export function tendServer(server: Server, options: TendServerOptions): void {
  const { connectionsMax, clock } = options;
  const headTimeoutMs = options.limits.headTimeoutMs + server.keepAliveTimeout;
  const limits = { ...options.limits, headTimeoutMs };
  // For connections that were open before; Node looks every 30 s.
  server.headersTimeout = headTimeoutMs;
  server.requestTimeout = headTimeoutMs + limits.bodyTimeoutMs;
  if (connectionsMax !== undefined) server.maxConnections = connectionsMax;

  const connections = new WeakMap<Socket, Connection>();
  const connectionOf = (socket: Socket) => {
    const connection = connections.get(socket) ?? tendConnection(socket, limits, clock);
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

/** What becomes of a request whose turn it is. */
function createService(server: Server, options: TendServerOptions): RequestListener {
  const { internalPath, webhook } = options;
  const takeSlot = createBodySlots(options.bodies);
  const door = createDoor(server);
  const listeners = server.listeners("request") as RequestListener[];

  return (request, response) => {
    const isInternal = request.url?.startsWith(internalPath) === true;
    if (!isInternal && !door.enter(response)) return refuse(response, 503, "STOPPING", "The server is stopping");
    request.url = originForm(request.url ?? "");
    const fault = findRequestFault(request);
    if (fault) return refuse(response, fault.status, fault.code, fault.message);
    if (request.headers.upgrade !== undefined) response.setHeader("connection", "close");
    // The application has no Server Actions; Next logs the id of one that it does not find.
    delete request.headers["next-action"];

    const pass = (passed: IncomingMessage) => {
      for (const listener of listeners) listener.call(server, passed, response);
    };
    if (!hasBody(request)) return pass(request);
    const withoutBody = withholdBody(request, webhook);
    if (withoutBody) return pass(withoutBody);
    takeSlot(request, response, () => {
      pass(detachRequest(request, isSigned(request, webhook) ? webhook.bytesMax : Infinity));
    });
  };
}

/**
 * Next waits for a WebSocket server of ours, and so for ever. Without a listener Node answers an upgrade as any other
 * request, as RFC 9110, 7.8 allows. Next adds its second listener with its first request.
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

/** As `refuse`, for what Node's parser does not take as a request. */
function answerUnparsable(error: NodeJS.ErrnoException): string {
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ""] ?? 400;
  const body = errorBody("REQUEST_INVALID", "This is no HTTP request that the server takes");
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
