import { answerMaintenance } from "#operations/answer-maintenance.ts";
import { methods } from "#platform/methods.ts";
import { qstashPath } from "#queue/qstash/qstash-path.ts";

import { maintenanceOptions } from "../../../queue/messages.ts";
import { answerQstashAt } from "../qstash.ts";

const answerCall = answerQstashAt(qstashPath("maintenance"));

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: (request) => answerMaintenance(request, answerCall, maintenanceOptions),
});
