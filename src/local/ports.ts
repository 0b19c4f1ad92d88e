import { randomInt } from "node:crypto";
import { connect, createServer } from "node:net";

import { CliFailure, errorCodeOf } from "#platform/failure.ts";

/** Below those that systems give to outgoing connections, any of which could take a port before the caller does. */
const chosenPorts = [20_000, 32_000] as const;
const attemptsMax = 20;

/** A free port of 127.0.0.1, of those that are proposed. Another process may take it before the caller does. */
export async function findFreePort(propose = () => randomInt(...chosenPorts)): Promise<number> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const chosen = propose();
    if (typeof (await listenOnce(chosen, "127.0.0.1")) === "number") return chosen;
  }
  const port = await listenOnce(0, "127.0.0.1");
  if (typeof port === "string") throw new CliFailure(`No port is free on 127.0.0.1 (${port}).`);
  return port;
}

/** Throws a `CliFailure` if nothing can listen on the port. `name` is the variable or option that sets it. */
export async function requireFreePort(name: string, port: number, host: string): Promise<void> {
  const code = (await isAnswering(port, host)) ? "EADDRINUSE" : await listenOnce(port, host);
  if (typeof code === "number") return;
  const where = `${host}:${port}`;
  if (code === "EADDRINUSE") {
    throw new CliFailure(`Port ${port} is in use on ${host}: stop what listens there, or set ${name} to another port.`);
  }
  if (code === "EACCES")
    throw new CliFailure(`Listening on ${where} is not permitted: set ${name} to a port above 1023.`);
  throw new CliFailure(`Listening on ${where} is not possible (${code}): check HOST and ${name}.`);
}

/** On some systems two programs can listen on one port if one of them listens on all addresses. */
function isAnswering(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const address = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
    const socket = connect({ port, host: address, timeout: 1_000 });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => settle(true));
    socket.once("timeout", () => settle(false));
    socket.once("error", () => settle(false));
  });
}

/** The port on which it could listen, or the code of the error. */
function listenOnce(port: number, host: string): Promise<number | string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(errorCodeOf(error) ?? error.message));
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : port));
    });
  });
}
