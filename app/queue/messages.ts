// What is done with a message, whichever queue delivers it and by whichever route.
import type { HandlersMessageOptions } from "#ingestion/answer-handlers.ts";
import type { IngestMessageOptions } from "#ingestion/ingest-message.ts";
import { saveUndecodable } from "#ingestion/save-undecodable.ts";
import { sendNotices } from "#operations/alerts/send-notices.ts";
import type { MaintenanceMessageOptions } from "#operations/answer-maintenance.ts";
import { readDeployment } from "#platform/delivery.ts";
import { readRelayUrls } from "#platform/relay-urls.ts";
import { waitUntil } from "@vercel/functions";

import { openAlerting } from "../alerts.ts";
import { clock } from "../log.ts";
import { maintain, openOperations } from "../operations.ts";
import { getDatabase } from "../database.ts";
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

export const handlersOptions: HandlersMessageOptions = { openHandlers, clock };

export const maintenanceOptions: MaintenanceMessageOptions = {
  run: maintain,
  openOperations,
  sendNotice: async (id) => sendNotices(openAlerting(), id),
};
