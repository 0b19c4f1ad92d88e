// What the process of `next start` lacks, from its first request on.
import { logUncaught } from "#ingestion/log-uncaught.ts";
import { stopProcessWorkWith } from "#ingestion/process-work.ts";
import { hardenNextServer, readOrDefault } from "#local/harden-next-server.ts";
import { quickenLog } from "#local/quicken-log.ts";
import { warnOfOtherQueue } from "#platform/built-queue.ts";
import { directAnswersWhile } from "#platform/direct-routes.ts";
import { queue } from "#queue-publisher";
import { isUntraced } from "#tracing/trace.ts";

import { clock, log } from "./log.ts";

export function hardenProcess(): void {
  quickenLog(console, process);
  // With OpenTelemetry Next answers all: its span of a request is the parent of ours.
  hardenNextServer(process.env, directAnswersWhile(isUntraced));
  warnOfOtherQueue(process.env, queue.name, log);
  logUncaught(process, globalThis, log);
  stopProcessWorkWith(process, { delayMs: readOrDefault(process.env, "DRAIN_DELAY_MS"), clock });
}
