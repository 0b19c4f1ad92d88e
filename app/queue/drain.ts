// The drain of this process: every queue whose variables are set, whichever QUEUE publishes to.
import { runHandlersMessage } from "#ingestion/answer-handlers.ts";
import type { DrainOptions } from "#ingestion/drain/drain-run.ts";
import { getDrainer } from "#ingestion/drain/drainer.ts";
import { openDrainRights } from "#ingestion/drain/open-drain-rights.ts";
import { presentQueues } from "#ingestion/drain/present-queues.ts";
import { ingestMessage } from "#ingestion/ingest-message.ts";
import { getProcessWork } from "#ingestion/process-work.ts";
import { runMaintenanceMessage } from "#operations/answer-maintenance.ts";
import { drainPath } from "#queue/wake-drain.ts";
import { getTrace } from "#tracing/trace.ts";

import { getDatabase } from "../database.ts";
import { clock, log } from "../log.ts";
import { giveUpAt, handlersOptions, ingestionOptions, maintenanceOptions } from "./messages.ts";
import { openPostgresQueue } from "./node/postgres.ts";
import { openRedisQueue } from "./node/redis.ts";
import { openSqsQueue } from "./node/sqs.ts";

const batchOptions = ingestionOptions(drainPath);

function readOptions(): DrainOptions {
  const table = openPostgresQueue();
  return {
    queues: presentQueues(process.env, { postgres: () => table, sqs: openSqsQueue, redis: openRedisQueue }, log),
    rights: openDrainRights(getDatabase(), table),
    trace: getTrace(),
    consume: {
      "instagram-ingestion": (call, callLog, waitUntil) => ingestMessage(call, callLog, { ...batchOptions, waitUntil }),
      handlers: (call, callLog) => runHandlersMessage(call, callLog, handlersOptions),
      maintenance: (call, callLog) => runMaintenanceMessage(call, callLog, maintenanceOptions),
    },
    giveUp: (call, route, error) => giveUpAt(drainPath, route)(call, error),
    stopping: getProcessWork().stopping,
    random: Math.random,
    clock,
    log,
  };
}

/** Drains until the queues are empty. Never rejects. */
export function wakeDrain(): Promise<void> {
  return getDrainer(readOptions, log).wake();
}
