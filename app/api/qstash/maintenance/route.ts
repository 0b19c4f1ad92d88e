import { sendNotices } from "#operations/alerts/send-notices.ts";
import { answerMaintenance } from "#operations/answer-maintenance.ts";
import { methods } from "#platform/methods.ts";

import { openAlerting } from "../../../alerts.ts";
import { openBackfilling } from "../../../backfills.ts";
import { maintain, openOperations } from "../../../operations.ts";
import { answerQstashOptions } from "../qstash.ts";

const options = {
  ...answerQstashOptions("/api/qstash/maintenance"),
  run: maintain,
  openOperations,
  openBackfilling,
  sendNotice: async (id: string) => sendNotices(openAlerting(), id),
};

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: (request) => answerMaintenance(request, options),
});
