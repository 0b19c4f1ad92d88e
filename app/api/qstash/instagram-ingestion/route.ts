import { answerIngestion } from "#ingestion/answer-ingestion.ts";
import { saveUndecodable } from "#ingestion/save-undecodable.ts";
import { readDeployment } from "#platform/delivery.ts";
import { methods } from "#platform/methods.ts";
import { readRelayUrls } from "#platform/relay-urls.ts";
import { waitUntil } from "@vercel/functions";

import { getDatabase, openHandlers } from "../../../services.ts";
import { answerQstashOptions } from "../qstash.ts";

const path = "/api/qstash/instagram-ingestion";
const saveOptions = () => ({
  db: getDatabase(),
  relayUrls: readRelayUrls(process.env),
  path,
  deployment: readDeployment(process.env),
});

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: (request) =>
    answerIngestion(request, {
      ...answerQstashOptions(path),
      openHandlers,
      saveUndecodable: (message) => saveUndecodable(message, saveOptions()),
      waitUntil,
    }),
});
