import { answerIngestion } from "#ingestion/answer-ingestion.ts";
import { methods } from "#platform/methods.ts";
import { qstashPath } from "#queue/qstash/qstash-path.ts";

import { ingestionOptions } from "../../../queue/messages.ts";
import { answerQstashAt } from "../qstash.ts";

const path = qstashPath("instagram-ingestion");
const answerCall = answerQstashAt(path);
const options = ingestionOptions(path);

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: (request) => answerIngestion(request, answerCall, options),
});
