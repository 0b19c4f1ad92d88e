import { join } from "node:path";

import { systemClock } from "#platform/clock.ts";
import { parseJsonObject } from "#platform/parse-json.ts";

import { keepRunning } from "./keep-running.ts";
import { openLogFile } from "./log-file.ts";
import { type NextServerOptions, startNextServer } from "./next-server.ts";
import type { ServerLifetime } from "./server-lifetime.ts";

/**
 * Starts the server, and starts it again if it ends by itself. Resolves when it is healthy; throws a
 * `CliFailure` with the end of its log if it does not become so.
 */
export async function startWebServer(
  { dataDir, follow, notice, step, stop, teardown }: ServerLifetime,
  options: Omit<NextServerOptions, "logFile" | "signal">,
): Promise<void> {
  const logFile = openLogFile(join(dataDir, "server.log"), { follow });
  teardown.add("server's log", () => logFile.close());
  await step("Server", async () => {
    const server = await keepRunning({
      name: "The server",
      start: (signal) => startNextServer({ ...options, logFile, signal }),
      tail: () => describeEnd(logFile.tail()),
      signal: stop.signal,
      clock: systemClock,
      notice,
    });
    teardown.add("server", server.stop);
  });
}

/** The end of the server's log, after the deliveries whose handlers had begun by it and not ended. */
function describeEnd(tail: string): string {
  const open = new Set<unknown>();
  for (const line of tail.split("\n")) {
    const { event, deliveryId } = parseJsonObject(line);
    if (event === "ingestion.committed") open.add(deliveryId);
    if (event === "handlers.finished") open.delete(deliveryId);
  }
  const handled = open.size === 0 ? "" : `Handlers were running for: ${[...open].map(String).join(", ")}.\n`;
  return handled + (tail === "" ? "Its log is empty." : `The end of its log:\n${tail}`);
}
