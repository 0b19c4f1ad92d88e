// What the process of `next start` lacks, from its first request on.
import { logUncaught } from "#ingestion/log-uncaught.ts";
import { stopProcessWork } from "#ingestion/process-work.ts";
import { hardenNextServer } from "#local/harden-next-server.ts";

import { log } from "./log.ts";

export function hardenProcess(): void {
  hardenNextServer(process.env);
  logUncaught(process, globalThis, log);
  // Next drains what runs; the supervisor waits for it for 30 s, a run of handlers may take twice as long.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, stopProcessWork);
}
