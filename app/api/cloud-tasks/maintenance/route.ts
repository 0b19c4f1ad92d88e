import { answerMaintenance } from "#operations/answer-maintenance.ts";
import { methods } from "#platform/methods.ts";

import { maintenanceOptions } from "../../../queue/messages.ts";
import { answerCloudTasksAt } from "../cloud-tasks.ts";

const answerCall = answerCloudTasksAt("maintenance");

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: (request) => answerMaintenance(request, answerCall, maintenanceOptions),
});
