import { join } from "node:path";

import { openLogFile } from "./log-file.ts";
import { type NextServerOptions, startNextServer } from "./next-server.ts";
import type { ServerLifetime } from "./server-lifetime.ts";

/**
 * Starts the production server and asks for a stop if it ends by itself. Resolves when it is healthy; throws a
 * `CliFailure` with the end of its log if it does not become so.
 */
export async function startWebServer(
  { dataDir, follow, step, stop, teardown }: ServerLifetime,
  options: Omit<NextServerOptions, "logFile" | "signal">,
): Promise<void> {
  const logFile = openLogFile(join(dataDir, "server.log"), { follow });
  teardown.add("server's log", () => logFile.close());
  await step("Server", async () => {
    const server = await startNextServer({ ...options, logFile, signal: stop.signal });
    teardown.add("server", (hurry) => server.stop(hurry));
    void server.exited.then(() => stop.stop(`The server ended by itself:\n${logFile.tail()}`));
  });
}
