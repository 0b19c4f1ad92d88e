// What is done with a message, whichever queue delivers it and by whichever route.
import type { HandlersMessageOptions } from "#ingestion/answer-handlers.ts";
import { giveUpMessage } from "#ingestion/drain/give-up-message.ts";
import type { IngestMessageOptions } from "#ingestion/ingest-message.ts";
import { saveUndecodable } from "#ingestion/save-undecodable.ts";
import { sendNotices } from "#operations/alerts/send-notices.ts";
import type { MaintenanceMessageOptions } from "#operations/answer-maintenance.ts";
import { readDeployment } from "#platform/delivery.ts";
import { readEnv } from "#platform/env.ts";
import { readRelayUrls } from "#platform/relay-urls.ts";
import type { GiveUp } from "#queue/bounded-retries.ts";
import type { QueueRoute } from "#queue/queue-route.ts";
import { saveBatchLetter } from "#store/dead-letters/dead-letters.ts";
import { releaseDueEvents } from "#store/handling/open-work.ts";
import { waitUntil } from "@vercel/functions";

import { openAlerting } from "../alerts.ts";
import { openBackfilling } from "../backfills.ts";
import { getDatabase } from "../database.ts";
import { clock } from "../log.ts";
import { maintain, openOperations } from "../operations.ts";
import { openHandlers } from "../services.ts";

/** For batches that come to the route at this path. */
export function ingestionOptions(path: string): IngestMessageOptions {
  const saveOptions = () => ({
    db: getDatabase(),
    relayUrls: readRelayUrls(process.env),
    path,
    deployment: readDeployment(process.env),
  });
  return {
    openHandlers,
    saveUndecodable: (message) => saveUndecodable(message, saveOptions()),
    waitUntil,
    clock,
  };
}

/** For messages that come to the route at this path from a queue without dead letters, and are given up. */
export function giveUpAt(path: string, route: QueueRoute): GiveUp {
  return (call, error) =>
    giveUpMessage(call, route, error, {
      save: (letter) => saveBatchLetter(getDatabase(), letter),
      release: (eventIds) => releaseDueEvents(getDatabase(), eventIds),
      url: `${readEnv(process.env, ["RELAY_URL"]).RELAY_URL[0]}${path}`,
      deployment: readDeployment(process.env),
    });
}

export const handlersOptions: HandlersMessageOptions = { openHandlers, clock };

export const maintenanceOptions: MaintenanceMessageOptions = {
  run: maintain,
  openOperations,
  openBackfilling,
  sendNotice: async (id) => sendNotices(openAlerting(), id),
};
