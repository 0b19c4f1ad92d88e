import { answerIngestion } from "#ingestion/answer-ingestion.ts";
import { methods } from "#platform/methods.ts";
import { vercelPath } from "#queue/vercel/vercel-path.ts";

import { ingestionOptions } from "../../../queue/messages.ts";
import { answerVercelAt } from "../vercel.ts";

const answerCall = answerVercelAt("instagram-ingestion");
const options = ingestionOptions(vercelPath("instagram-ingestion"));

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: (request) => answerIngestion(request, answerCall, options),
});
