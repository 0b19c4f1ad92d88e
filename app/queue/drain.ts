// The drain of this process: every queue whose variables are set, whichever QUEUE publishes to.
import { runHandlersMessage } from "#ingestion/answer-handlers.ts";
import type { DrainOptions } from "#ingestion/drain/drain.ts";
import { getDrainer } from "#ingestion/drain/drainer.ts";
import { giveUpMessage } from "#ingestion/drain/give-up-message.ts";
import { openDrainRights } from "#ingestion/drain/open-drain-rights.ts";
import { presentQueues } from "#ingestion/drain/present-queues.ts";
import { ingestMessage } from "#ingestion/ingest-message.ts";
import { getProcessWork } from "#ingestion/process-work.ts";
import { runMaintenanceMessage } from "#operations/answer-maintenance.ts";
import { readDeployment } from "#platform/delivery.ts";
import { readEnv } from "#platform/env.ts";
import { drainPath } from "#queue/wake-drain.ts";
import { saveBatchLetter } from "#store/dead-letters.ts";
import { releaseDueEvents } from "#store/open-work.ts";

import { getDatabase } from "../database.ts";
import { clock, log } from "../log.ts";
import { handlersOptions, ingestionOptions, maintenanceOptions } from "./messages.ts";
import { openPostgresQueue } from "./node/postgres.ts";

const batchOptions = ingestionOptions(drainPath);

function readOptions(): DrainOptions {
  const db = getDatabase();
  const [relayUrl] = readEnv(process.env, ["RELAY_URL"]).RELAY_URL;
  const giveUpOptions = {
    save: (letter: Parameters<typeof saveBatchLetter>[1]) => saveBatchLetter(db, letter),
    release: (eventIds: readonly number[]) => releaseDueEvents(db, eventIds),
    url: `${relayUrl}${drainPath}`,
    deployment: readDeployment(process.env),
  };
  return {
    queues: presentQueues(openPostgresQueue()),
    rights: openDrainRights(db),
    consume: {
      "instagram-ingestion": (call, callLog, waitUntil) => ingestMessage(call, callLog, { ...batchOptions, waitUntil }),
      handlers: (call, callLog) => runHandlersMessage(call, callLog, handlersOptions),
      maintenance: (call, callLog) => runMaintenanceMessage(call, callLog, maintenanceOptions),
    },
    giveUp: (call, route, error) => giveUpMessage(call, route, error, giveUpOptions),
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
