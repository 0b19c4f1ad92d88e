import { randomUUID } from "node:crypto";

import { type Broker, startBroker } from "#broker/broker.ts";
import { signBody } from "#instagram/signature.ts";
import { systemClock } from "#platform/clock.ts";
import { createLog } from "#platform/log.ts";

import { eventually } from "./eventually.ts";
import { createMigratedDatabase } from "./postgres.ts";
import { startTestServer } from "./server.ts";

const secrets = {
  INSTAGRAM_APP_SECRET: "previous-secret,app-secret",
  INSTAGRAM_VERIFY_TOKEN: "verify-token",
  QSTASH_TOKEN: "qstash-token",
  QSTASH_CURRENT_SIGNING_KEY: "sig_current_key",
  QSTASH_NEXT_SIGNING_KEY: "sig_next_key",
  RELAY_SECRET: "relay-secret-of-thirty-two-characters",
  OPS_TOKEN: "ops-token-of-thirty-two-characters",
  // Tests wait for the report of each delivery.
  REPORT_SAMPLE_RATE: "1",
};

export interface TestRelay {
  baseUrl: string;
  databaseUrl: string;
  broker: Broker;
  /** Signs a body as Meta would and sends it to the edge route or its twin. */
  deliver(to: "edge" | "node", body: Uint8Array | string, headers?: Record<string, string>): Promise<Response>;
  /** Reads something of /api/ops. */
  ops(path: string): Promise<Record<string, unknown>>;
  /** What /api/ops has of a delivery, once it is handled and its report is in; throws if that takes ten seconds. */
  journey(deliveryId: string): Promise<Record<string, unknown>>;
  /** Replaces the server by one with other variables, as a deployment does; it keeps its address. */
  redeploy(env: Record<string, string>): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Everything that `npm start` starts, on free ports and databases of its own: built server, broker, Postgres. `onLine` hears
 * every line of the server's output.
 */
export async function startTestRelay(
  env: Record<string, string> = {},
  onLine: (line: string) => void = () => {},
): Promise<TestRelay> {
  const [store, messages] = await Promise.all([createMigratedDatabase(), createMigratedDatabase("broker")]);
  const broker = await startBroker({
    databaseUrl: messages.url,
    host: "127.0.0.1",
    port: 0,
    token: secrets.QSTASH_TOKEN,
    currentSigningKey: secrets.QSTASH_CURRENT_SIGNING_KEY,
    nextSigningKey: secrets.QSTASH_NEXT_SIGNING_KEY,
    clock: systemClock,
    newId: randomUUID,
    log: createLog({ clock: systemClock, write: () => {} }),
  });
  const envAt = (baseUrl: string) => ({
    ...secrets,
    DATABASE_URL: store.url,
    QSTASH_URL: broker.url,
    RELAY_URL: baseUrl,
    ...env,
  });
  let server = await startTestServer({ env: envAt, onLine });
  const { baseUrl, port } = server;
  await warmUp(baseUrl);
  broker.startDispatching();

  const ops = async (path: string) => {
    const response = await fetch(`${baseUrl}/api/ops/${path}`, {
      headers: { authorization: "Bearer ops-token-of-thirty-two-characters" },
    });
    return (await response.json()) as Record<string, unknown>;
  };
  return {
    baseUrl,
    databaseUrl: store.url,
    broker,
    ops,
    async deliver(to, body, headers = {}) {
      const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
      return fetch(`${baseUrl}/api/webhooks/instagram${to === "node" ? "/node" : ""}`, {
        method: "POST",
        body: new Uint8Array(bytes),
        headers: { "x-hub-signature-256": await signBody("app-secret", bytes), ...headers },
      });
    },
    async journey(deliveryId) {
      return eventually(`delivery ${deliveryId} is handled and reported`, async () => {
        const journey = await ops(`deliveries/${deliveryId}`);
        const isReported = typeof journey["publishedAt"] === "string" || journey["outcome"] === "fallback";
        return typeof journey["handledAt"] === "string" && isReported && journey;
      });
    },
    async redeploy(changed) {
      await server.stop();
      server = await startTestServer({ env: { ...envAt(baseUrl), ...changed }, port, onLine });
      await warmUp(baseUrl);
    },
    async stop() {
      await broker.stopDispatching();
      await server.stop();
      await broker.stop();
      await Promise.all([store.drop(), messages.drop()]);
    },
  };
}

/**
 * Loads the route of reports and connects to the database. A success whose report takes longer than a second is never reported,
 * and a new server on a busy machine may need that second for them.
 */
async function warmUp(baseUrl: string): Promise<void> {
  for (const path of ["internal/reports", "health"]) await (await fetch(`${baseUrl}/api/${path}`)).arrayBuffer();
}
