import { answerHandlers } from "#ingestion/answer-handlers.ts";
import { methods } from "#platform/methods.ts";
import { qstashPath } from "#queue/qstash/qstash-path.ts";

import { handlersOptions } from "../../../queue/messages.ts";
import { answerQstashAt } from "../qstash.ts";

const answerCall = answerQstashAt(qstashPath("handlers"));

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: (request) => answerHandlers(request, answerCall, handlersOptions),
});
