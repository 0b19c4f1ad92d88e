import { answerHandlers } from "#ingestion/answer-handlers.ts";
import { methods } from "#platform/methods.ts";

import { handlersOptions } from "../../../queue/messages.ts";
import { answerCloudTasksAt } from "../cloud-tasks.ts";

const answerCall = answerCloudTasksAt("handlers");

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: (request) => answerHandlers(request, answerCall, handlersOptions),
});
