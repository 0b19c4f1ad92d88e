// What is done with a message, whichever queue delivers it and by whichever route.
import type { HandlersMessageOptions } from "#ingestion/answer-handlers.ts";
import { createGiveUps } from "#ingestion/give-up-message.ts";
import type { IngestMessageOptions } from "#ingestion/ingest-message.ts";
import { saveUndecodable } from "#ingestion/save-undecodable.ts";
import { sendNotices } from "#operations/alerts/send-notices.ts";
import type { MaintenanceMessageOptions } from "#operations/answer-maintenance.ts";
import { readDeployment } from "#platform/delivery.ts";
import { readRelayUrls } from "#platform/relay-urls.ts";
import type { GiveUp } from "#queue/bounded-retries.ts";
import type { QueueRoute } from "#queue/queue-route.ts";
import { releaseDueEvents } from "#store/open-work.ts";
import { waitUntil } from "@vercel/functions";

import { openAlerting } from "../alerts.ts";
import { clock } from "../log.ts";
import { maintain, openOperations } from "../operations.ts";
import { getDatabase } from "../database.ts";
import { openHandlers } from "../services.ts";

/** Keeps a batch that came to the route at this path as a dead letter. */
function saveLetterOf(path: string): IngestMessageOptions["saveUndecodable"] {
  const options = () => ({
    db: getDatabase(),
    relayUrls: readRelayUrls(process.env),
    path,
    deployment: readDeployment(process.env),
  });
  return (message) => saveUndecodable(message, options());
}

/** For batches that come to the route at this path. */
export function ingestionOptions(path: string): IngestMessageOptions {
  return { openHandlers, saveUndecodable: saveLetterOf(path), waitUntil, clock };
}

/** For messages that come to the route at this path from a queue without dead letters, and are given up. */
export function openGiveUps(path: string): Record<QueueRoute, GiveUp> {
  return createGiveUps({
    save: saveLetterOf(path),
    release: (eventIds) => releaseDueEvents(getDatabase(), eventIds),
  });
}

export const handlersOptions: HandlersMessageOptions = { openHandlers, clock };

export const maintenanceOptions: MaintenanceMessageOptions = {
  run: maintain,
  openOperations,
  sendNotice: async (id) => sendNotices(openAlerting(), id),
};
