/** Reads what operators read of the figures, from the built server and a database of its own. */
import { get } from "node:http";

import { openDatabase } from "#store/connection/database.ts";
import { migrateStore } from "#store/migrate.ts";

import { median } from "./measure.ts";
import type { Rig } from "./rig.ts";
import type { BenchServer } from "./server-process.ts";
import type { BenchPostgres } from "./store-databases.ts";

const opsToken = "ops-token-of-thirty-two-characters";

/** The comparison of edge and Node. */
export const comparisonPath = "/api/ops/runtimes?window=30d";

export interface Reading {
  ms: number;
  /** Of the server's process. */
  cpuMs: number;
  bytes: number;
}

type Work = (db: ReturnType<typeof openDatabase>["db"]) => Promise<unknown>;

/** The address of a new database that `make` has filled. */
export async function fillDatabase(postgres: BenchPostgres, make: Work): Promise<string> {
  const url = await postgres.create("figures");
  await migrateStore(url);
  await withDatabase(url, async (db) => {
    await make(db);
    await db.$client.query("vacuum analyze");
  });
  return url;
}

export async function withDatabase(url: string, work: Work): Promise<void> {
  const { db, close } = openDatabase(url);
  try {
    await work(db);
  } finally {
    await close();
  }
}

/** A relay with this database, whose operators' routes `read` may ask. */
export async function startReadable({ startRelay }: Rig, databaseUrl: string): Promise<BenchServer> {
  return startRelay({ env: { OPS_TOKEN: opsToken, DATABASE_URL: databaseUrl } });
}

/** Until the last byte, which is not decompressed: that is the reader's own work. */
export async function read(server: BenchServer, path: string): Promise<Reading> {
  const { cpuMs } = await server.readUsage();
  const startedMs = performance.now();
  const bytes = await new Promise<number>((resolve, reject) => {
    const headers = { authorization: `Bearer ${opsToken}`, "accept-encoding": "gzip" };
    get(`${server.baseUrl}${path}`, { headers }, (response) => {
      let sum = 0;
      response.on("data", (part: Buffer) => (sum += part.length));
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(sum);
        else reject(new Error(`${path} answered ${response.statusCode}`));
      });
    }).on("error", reject);
  });
  const ms = performance.now() - startedMs;
  return { ms, cpuMs: (await server.readUsage()).cpuMs - cpuMs, bytes };
}

/** The median of each figure. */
export function mediansOf(readings: readonly Reading[]): Reading {
  const of = (figure: keyof Reading) => median(readings.map((reading) => reading[figure]));
  return { ms: of("ms"), cpuMs: of("cpuMs"), bytes: of("bytes") };
}
