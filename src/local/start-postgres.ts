import { join } from "node:path";

import { systemClock } from "#platform/clock.ts";

import { type EmbeddedPostgres, openEmbeddedPostgres } from "./embedded-postgres.ts";
import { keepRunning } from "./keep-running.ts";
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
 * Starts the embedded Postgres with the databases that are needed, and starts it again on the same port if it ends by itself.
 * Throws a `CliFailure` if it cannot be started.
 */
export async function startPostgres(
  { dataDir, notice, step, teardown }: ServerLifetime,
  { password, databases }: StartPostgresOptions,
): Promise<StartedPostgres> {
  const log = openLogFile(join(dataDir, "postgres.log"));
  teardown.add("Postgres's log", () => log.close());
  return step("Postgres", async () => {
    let port: number | undefined;
    const { first: postgres, stop } = await keepRunning({
      name: "Postgres",
      start: async () => {
        const options = { dataDir: join(dataDir, "postgres"), password, logFile: log.path };
        const opened = await openEmbeddedPostgres(port === undefined ? options : { ...options, port });
        // The others know this port, so that they find it again.
        ({ port } = opened);
        return opened;
      },
      tail: () => `${log.path} has its log.`,
      clock: systemClock,
      notice,
    });
    teardown.add("Postgres", stop);
    const urls: string[] = [];
    for (const database of databases) urls.push(await postgres.openOwned(database));
    return { folder: postgres.folder, urls };
  });
}
