import { answerIngestion } from "#ingestion/answer-ingestion.ts";
import { methods } from "#platform/methods.ts";
import { cloudTasksPath } from "#queue/cloud-tasks/cloud-tasks-path.ts";

import { ingestionOptions } from "../../../queue/messages.ts";
import { answerCloudTasksAt } from "../cloud-tasks.ts";

const answerCall = answerCloudTasksAt("instagram-ingestion");
const options = ingestionOptions(cloudTasksPath("instagram-ingestion"));

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: (request) => answerIngestion(request, answerCall, options),
});
