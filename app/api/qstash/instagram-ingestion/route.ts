import { answerIngestion } from "#ingestion/answer-ingestion.ts";
import { offerDirectAnswer } from "#platform/direct-routes.ts";
import { methods } from "#platform/methods.ts";
import { qstashPath } from "#queue/qstash/qstash-path.ts";

import { ingestionOptions } from "../../../queue/messages.ts";
import { answerQstashAt } from "../qstash.ts";

const path = qstashPath("instagram-ingestion");
const answerCall = answerQstashAt(path);
const options = ingestionOptions(path);

// Each delivery comes here: on `next start` Next's own part of the call costs a sixth of a delivery's CPU time.
offerDirectAnswer(path, (request, waitUntil) => answerIngestion(request, answerCall, { ...options, waitUntil }));

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: (request) => answerIngestion(request, answerCall, options),
});
