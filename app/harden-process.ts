// What the process of `next start` lacks, from its first request on.
import { logUncaught } from "#ingestion/log-uncaught.ts";
import { stopProcessWorkWith } from "#ingestion/process-work.ts";
import { hardenNextServer, readOrDefault } from "#local/harden-next-server.ts";

import { clock, log } from "./log.ts";

export function hardenProcess(): void {
  hardenNextServer(process.env);
  logUncaught(process, globalThis, log);
  stopProcessWorkWith(process, { delayMs: readOrDefault(process.env, "DRAIN_DELAY_MS"), clock });
}
