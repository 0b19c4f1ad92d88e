import { type PathFaults, readPathFaults } from "#dashboard/status/read-path.ts";
import { createRelayAddressReader } from "#dashboard/status/relay-address.ts";
import { handlers } from "#handlers/handlers.ts";
import { getProcessWork } from "#ingestion/process-work.ts";
import { createSettlementQueue } from "#ingestion/settlement-queue.ts";
import { createRollUps } from "#operations/roll-up.ts";
import { readDeployment } from "#platform/delivery.ts";
import { readEnv } from "#platform/env.ts";
import { createErasureApi, type ErasureApi } from "#privacy/erasure-api.ts";
import { getTrace } from "#tracing/trace.ts";

import { getDatabase } from "./database.ts";
import { clock, log } from "./log.ts";
import { openMessagePublisher, queueName } from "./queue/queue.ts";

const readRelayAddress = createRelayAddressReader({ fetch, clock, log });

/** The faults that affect every delivery. Never rejects for a fault. */
export function findPathFaults(): Promise<PathFaults> {
  return readPathFaults(process.env, queueName, readRelayAddress);
}

/** Short roll-ups of measurements, before figures are read and after reports. */
export const rollUps = createRollUps({ openDatabase: getDatabase, clock, log });

/** QStash's API for erasing its dead letters. */
export function openErasureApi(): ErasureApi {
  return createErasureApi(process.env, queueName, { fetch, clock });
}

type HandlersHost = ReturnType<typeof createHandlersHost>;
let handlersHost: HandlersHost | undefined;

/** What handlers run on, whatever call they belong to: one for the process. Throws `ENV_INVALID`. */
export function openHandlers(): HandlersHost {
  return (handlersHost ??= createHandlersHost());
}

function createHandlersHost() {
  const env = readEnv(process.env, ["HANDLER_TIMEOUT_MS", "HANDLER_CONCURRENCY", "HANDLER_RETRIES", "UNSENT_MESSAGES"]);
  const db = getDatabase();
  return {
    db,
    settle: createSettlementQueue(db, clock),
    handlers,
    handlerTimeoutMs: env.HANDLER_TIMEOUT_MS,
    concurrency: env.HANDLER_CONCURRENCY,
    retries: env.HANDLER_RETRIES,
    unsentMessages: env.UNSENT_MESSAGES,
    publisher: openMessagePublisher(),
    work: getProcessWork(),
    deployment: readDeployment(process.env),
    random: Math.random,
    newId: () => crypto.randomUUID(),
    trace: getTrace(),
  };
}
