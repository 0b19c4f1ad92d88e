import { join } from "node:path";

import { type EmbeddedPostgres, openEmbeddedPostgres } from "./embedded-postgres.ts";
import { openLogFile } from "./log-file.ts";
import type { OwnedDatabase } from "./owned-database.ts";
import type { ServerLifetime } from "./server-lifetime.ts";

export interface StartPostgresOptions {
  /** The superuser's; the same at each start with a data folder. */
  password: string;
  /** The databases that are needed, each with a role of its own. */
  databases: readonly OwnedDatabase[];
}

export interface StartedPostgres {
  /** Where the data is. */
  folder: EmbeddedPostgres["folder"];
  /** The connection strings of the databases, in the order in which they were named. */
  urls: string[];
}

/**
 * Starts the embedded Postgres with the databases that are needed, and asks for a stop if it ends by itself. Throws a
 * `CliFailure` if it cannot be started.
 */
export async function startPostgres(
  { dataDir, step, stop, teardown }: ServerLifetime,
  { password, databases }: StartPostgresOptions,
): Promise<StartedPostgres> {
  const log = openLogFile(join(dataDir, "postgres.log"));
  teardown.add("Postgres's log", () => log.close());
  return step("Postgres", async () => {
    const postgres = await openEmbeddedPostgres({ dataDir: join(dataDir, "postgres"), password, logFile: log.path });
    teardown.add("Postgres", (hurry) => postgres.stop(hurry));
    void postgres.exited.then(() => stop.stop(`Postgres ended by itself, see ${log.path}.`));
    const urls: string[] = [];
    for (const database of databases) urls.push(await postgres.openOwned(database));
    return { folder: postgres.folder, urls };
  });
}
