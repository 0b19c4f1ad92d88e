import { randomInt } from "node:crypto";
import { once } from "node:events";
import type { Server } from "node:net";

import { findFreePort } from "#local/ports.ts";

/** Up to the ports that a start chooses by itself. Above 10080, which no `fetch` asks. */
const firstPort = 11_000;
const portsOfWorker = 500;
const workersMax = 18;

const firstOfWorker = firstPort + (Number(process.env["VITEST_POOL_ID"] ?? 0) % workersMax) * portsOfWorker;
let given = randomInt(portsOfWorker);

/**
 * A free port for a server. A server takes its port seconds after it was chosen, so workers of one run choose from different
 * ports, and none chooses one again soon.
 */
export function findTestPort(): Promise<number> {
  return findFreePort(() => firstOfWorker + (given++ % portsOfWorker));
}

/**
 * Listens on 127.0.0.1, and resolves with the port. One that the system chooses may be another server's as soon as this one
 * is closed: a test that expects nothing to listen there, or listens there again, would meet that server.
 */
export async function listenOnTestPort(server: Server): Promise<number> {
  const port = await findTestPort();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return port;
}
