import { answerIngestion } from "#ingestion/answer-ingestion.ts";
import { saveUndecodable } from "#ingestion/save-undecodable.ts";
import { methods } from "#platform/methods.ts";
import { waitUntil } from "@vercel/functions";

import { getDatabase, openHandlers } from "../../../services.ts";
import { answerQstashOptions } from "../qstash.ts";

const path = "/api/qstash/instagram-ingestion";
const options = {
  ...answerQstashOptions(path),
  openHandlers,
  saveUndecodable: saveUndecodable.bind(null, getDatabase, path),
  waitUntil,
};

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: (request) => answerIngestion(request, options),
});
