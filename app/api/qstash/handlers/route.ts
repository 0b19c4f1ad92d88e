import { answerHandlers } from "#ingestion/answer-handlers.ts";
import { methods } from "#platform/methods.ts";
import { handlersPath } from "#queue/handlers-message.ts";

import { openHandlers } from "../../../services.ts";
import { answerQstashOptions } from "../qstash.ts";

const options = { ...answerQstashOptions(handlersPath), openHandlers };

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: (request) => answerHandlers(request, options),
});
