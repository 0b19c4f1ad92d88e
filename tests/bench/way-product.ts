import { fork } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import type { Client } from "pg";

import { holdChild } from "./bench-child.ts";
import { appSecret } from "./delivery-sender.ts";
import { atExit } from "../support/at-exit.ts";
import { readTreeCpuMs } from "../support/process-tree.ts";
import { startBenchServer } from "./server-process.ts";
import { openBenchPostgres } from "./store-databases.ts";

/** CPU time since the start, in milliseconds. */
export interface WayCpu {
  server: number;
  broker: number;
  postgres: number;
}

/** A release with all that `npm start` runs beside it, each in a process of its own. */
export interface WayProduct {
  name: string;
  webhookUrl: string;
  readCpu(): Promise<WayCpu>;
  /** Deliveries whose handlers have all ended. */
  countHandled(): Promise<number>;
  /** Transactions committed in the application's database; each statement outside one counts as one. */
  countCommits(): Promise<number>;
  stop(): Promise<void>;
}

/** Releases up to 0.1.0 export the preload alone. */
type LocalServer = { serverNodeArgs?: readonly string[]; serverPreload?: string };

const keys = { token: "qstash-token", current: "sig_current_key", next: "sig_next_key" };
const processFile = fileURLToPath(new URL("way-process.ts", import.meta.url));

/**
 * Starts the built product in `folder` with an embedded Postgres of its own, at Postgres's default settings. `variables`: of
 * the server, beyond the usual ones.
 */
export async function startWayProduct(
  name: string,
  folder: string,
  variables: Record<string, string> = {},
): Promise<WayProduct> {
  const data = mkdtempSync(join(tmpdir(), "relay-bench-way-"));
  const remove = () => rmSync(data, { recursive: true, force: true });
  const ends: (() => unknown)[] = [atExit(remove), remove];
  const stop = async () => {
    for (const end of ends.toReversed()) await end();
  };
  try {
    const postgres = await openBenchPostgres();
    ends.push(() => postgres.remove());
    const [storeUrl, messagesUrl] = [await postgres.create("store"), await postgres.create("broker")];

    const child = fork(processFile, [folder, storeUrl, messagesUrl, keys.token, keys.current, keys.next], {
      execArgv: ["--import", "tsx"],
      env: { ...process.env, BROKER_LOG: join(data, "broker.log") },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const broker = holdChild(child, "broker");
    ends.push(() => broker.stop());
    await new Promise<void>((resolve, reject) => {
      child.once("message", () => resolve());
      child.once("exit", () => reject(new Error(`The broker of "${name}" did not start`)));
    });
    const askBroker = () => broker.ask<{ url: string; cpuMs: number }>({});
    const { url: qstashUrl } = await askBroker();

    const { serverNodeArgs, serverPreload = "" } = await loadLocalServer(folder);
    const server = await startBenchServer({
      folder,
      nodeArgs: serverNodeArgs ?? ["--import", serverPreload],
      env: (baseUrl) => ({
        INSTAGRAM_APP_SECRET: appSecret,
        INSTAGRAM_VERIFY_TOKEN: "verify-token",
        QSTASH_TOKEN: keys.token,
        QSTASH_CURRENT_SIGNING_KEY: keys.current,
        QSTASH_NEXT_SIGNING_KEY: keys.next,
        RELAY_SECRET: "relay-secret-of-thirty-two-characters",
        OPS_TOKEN: "ops-token-of-thirty-two-characters",
        DATABASE_URL: storeUrl,
        QSTASH_URL: qstashUrl,
        RELAY_URL: baseUrl,
        ...variables,
      }),
    });
    ends.push(() => server.stop());

    const client = await postgres.connect(storeUrl);
    const handledText = await chooseHandledText(client);
    return {
      name,
      webhookUrl: `${server.baseUrl}/api/webhooks/instagram`,
      async readCpu() {
        const [{ cpuMs: serverMs }, { cpuMs: brokerMs }] = await Promise.all([server.readUsage(), askBroker()]);
        return { server: serverMs, broker: brokerMs, postgres: readTreeCpuMs(postgres.pid) };
      },
      async countHandled() {
        const { rows } = await client.query<{ handled: number }>(handledText);
        return rows[0]?.handled ?? 0;
      },
      async countCommits() {
        const { rows } = await client.query<{ commits: number }>(
          "select xact_commit::float8 as commits from pg_stat_database where datname = current_database()",
        );
        return rows[0]?.commits ?? 0;
      },
      stop,
    };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** Where the releases have it, the newest first. */
const localServers = ["src/local/next-server.ts", "src/cli/next-server.ts"];

async function loadLocalServer(folder: string): Promise<LocalServer> {
  const found = localServers.map((path) => join(folder, path)).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${folder} has none of ${localServers.join(", ")}`);
  return (await import(pathToFileURL(found).href)) as LocalServer;
}

/** Where the releases note that a delivery's events are handled, the newest first. */
const handledTables = ["relay.deliveries", "delivery_batches", "delivery_chunks"];

async function chooseHandledText(client: Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    "select name from unnest($1::text[]) with ordinality as table_of (name, at) where to_regclass(name) is not null order by at",
    [handledTables],
  );
  if (rows[0] === undefined) throw new Error(`The database has none of ${handledTables.join(", ")}`);
  return `select count(handled_at)::integer as handled from ${rows[0].name}`;
}
