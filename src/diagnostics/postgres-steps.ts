import { once } from "node:events";
import { TLSSocket } from "node:tls";

import { Client } from "pg";

import type { Clock } from "#platform/clock.ts";
import { explicitTls } from "#platform/explicit-tls.ts";

import type { Advice, Finding } from "./check.ts";
import { type Connection, createConnection, describeTls } from "./connection-steps.ts";
import { explainPostgres } from "./explain-postgres.ts";
import type { Step } from "./run-steps.ts";

/** Finds what keeps this version from storing in the database: rights, migrations, a read-only server; null if nothing does. */
export type FindStoreFault = (client: Pick<Client, "query">) => Promise<(Advice & { detail: string }) | null>;

export interface PostgresStepsOptions {
  databaseUrl: string;
  findStoreFault: FindStoreFault;
  clock: Clock;
}

/** The steps to a Postgres. */
export interface PostgresSteps {
  steps: Step[];
  close: () => void;
}

const connectLimitMs = 4_000;
const queryLimitMs = 2_000;
const versionMin = 15;

/**
 * The steps to Postgres with the driver that the product uses: DNS and TCP, then, over a connection of the driver, TLS,
 * sign-in, a query, and whether the relay could store. Throws for a URL that the driver cannot read.
 */
export function createPostgresSteps({ databaseUrl, findStoreFault, clock }: PostgresStepsOptions): PostgresSteps {
  const client = new Client({
    connectionString: explicitTls(databaseUrl),
    connectionTimeoutMillis: 2 * connectLimitMs,
    query_timeout: queryLimitMs,
  });
  // Without a listener, a connection that breaks between two steps would end the process.
  client.on("error", () => {});
  const network = createConnection({ host: client.host, port: client.port, variable: "DATABASE_URL" });
  let signedIn: Promise<unknown> | undefined;
  const signIn = () => {
    signedIn ??= client.connect();
    signedIn.catch(() => {});
    return signedIn;
  };
  const step = (name: string, limitMs: number, run: () => Promise<Finding>): Step => {
    return { name, limitMs, run, explain: explainPostgres };
  };
  const ways: Step[] = client.host.startsWith("/") ? [] : network.steps;
  return {
    steps: [
      ...ways,
      step("TLS", connectLimitMs, () => secure(client, signIn, network, clock.nowMs())),
      step("sign-in", connectLimitMs, async () => {
        await signIn();
        return { status: "ok", detail: "accepted" };
      }),
      step("query", queryLimitMs, () => readVersion(client)),
      step("schema", queryLimitMs, () => readSchema(client, findStoreFault)),
    ],
    close: () => {
      network.close();
      client.end().catch(() => {});
      // Else a server that has gone silent would be waited for.
      client.connection.stream.destroy();
    },
  };
}

async function secure(
  client: Client,
  signIn: () => Promise<unknown>,
  network: Connection,
  nowMs: number,
): Promise<Finding> {
  if (!client.ssl) return judgePlain(network.isPrivate());
  // The driver replaces its socket by a TLS socket, whose handshake follows.
  const secured = once(client.connection, "sslconnect").then(async () => {
    const { stream } = client.connection;
    if (stream instanceof TLSSocket) await once(stream, "secureConnect");
    return stream;
  });
  await Promise.race([secured, signIn()]);
  const { stream } = client.connection;
  return stream instanceof TLSSocket ? describeTls(stream, nowMs) : { status: "ok", detail: "in use" };
}

function judgePlain(isPrivate: boolean): Finding {
  if (isPrivate) return { status: "ok", detail: "not used; the address is private" };
  return {
    status: "warning",
    detail: "not used",
    cause: "DATABASE_URL does not ask for TLS: messages are sent unencrypted to a public address.",
    remedy: "Add sslmode=verify-full to DATABASE_URL.",
  };
}

async function readVersion(client: Client): Promise<Finding> {
  const { rows } = await client.query<{ version: string }>("select current_setting('server_version') as version");
  const version = rows[0]?.version ?? "";
  const detail = `Postgres ${/^[\d.]+/.exec(version)?.[0] ?? "of an unknown version"}`;
  if (Number.parseInt(version, 10) >= versionMin) return { status: "ok", detail };
  return {
    status: "warning",
    detail,
    cause: `The relay is tested with Postgres ${versionMin} and newer.`,
    remedy: "Upgrade the server.",
  };
}

async function readSchema(client: Client, findStoreFault: FindStoreFault): Promise<Finding> {
  const fault = await findStoreFault(client);
  if (fault === null) return { status: "ok", detail: "up to date" };
  const { detail, cause, remedy } = fault;
  return { status: "failed", detail, cause, remedy };
}
