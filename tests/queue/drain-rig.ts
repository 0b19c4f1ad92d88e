import { runHandlersMessage } from "#ingestion/answer-handlers.ts";
import type { DrainedQueue } from "#ingestion/drain/drain-messages.ts";
import type { DrainOptions } from "#ingestion/drain/drain-run.ts";
import { createDrainer, type Drainer } from "#ingestion/drain/drainer.ts";
import { giveUpMessage } from "#ingestion/drain/give-up-message.ts";
import { openDrainRights } from "#ingestion/drain/open-drain-rights.ts";
import type { PostgresQueue } from "#ingestion/drain/postgres-queue.ts";
import { ingestMessage } from "#ingestion/ingest-message.ts";
import { saveUndecodable } from "#ingestion/save-undecodable.ts";
import type { Database } from "#store/connection/database.ts";
import { saveBatchLetter } from "#store/dead-letters/dead-letters.ts";
import { releaseDueEvents } from "#store/handling/open-work.ts";

import type { Handling } from "../support/handling.ts";

export interface DrainRigOptions {
  queues: readonly DrainedQueue[];
  /** The one of them that lies in the database. */
  table?: PostgresQueue | null;
  handling: Handling;
  /** Of the drain, in the place of the product's. */
  others?: Partial<DrainOptions>;
}

/** A drain as app/queue/drain.ts makes it, on the queues and handlers of a test. */
export function createTestDrainer(
  db: Database,
  { queues, table = null, handling, others = {} }: DrainRigOptions,
): Drainer {
  const { clock, log, random, work } = handling;
  const openHandlers = () => handling;
  const place = { db, relayUrls: ["https://relay.example"], path: "/api/queue/drain", deployment: null };
  const options: DrainOptions = {
    queues,
    rights: openDrainRights(db, table),
    trace: handling.trace,
    consume: {
      "instagram-ingestion": (call, callLog, waitUntil) =>
        ingestMessage(call, callLog, {
          openHandlers,
          saveUndecodable: (message) => saveUndecodable(message, place),
          waitUntil,
          clock,
        }),
      handlers: (call, callLog) => runHandlersMessage(call, callLog, { openHandlers, clock }),
      maintenance: async () => {},
    },
    giveUp: (call, route, error) =>
      giveUpMessage(call, route, error, {
        save: (letter) => saveBatchLetter(db, letter),
        release: (eventIds) => releaseDueEvents(db, eventIds),
        url: "https://relay.example/api/queue/drain",
        deployment: null,
      }),
    stopping: work.stopping,
    clock,
    random,
    log,
    ...others,
  };
  return createDrainer(() => options, log);
}
