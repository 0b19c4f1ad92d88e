import { answerIngestion } from "#ingestion/answer-ingestion.ts";
import { methods } from "#platform/methods.ts";

import { openIngest } from "../../../services.ts";
import { answerQstashOptions } from "../qstash.ts";

const options = { ...answerQstashOptions("/api/qstash/instagram-ingestion"), openIngest };

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: (request) => answerIngestion(request, options),
});
