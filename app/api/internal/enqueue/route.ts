import { answerEnqueue } from "#ingestion/answer-enqueue.ts";
import { readEnv } from "#platform/env.ts";
import { methods } from "#platform/methods.ts";
import { postgresBytesMax } from "#queue/postgres/postgres-publisher.ts";
import { continueTrace } from "#tracing/continue-trace.ts";
import { waitUntil } from "@vercel/functions";

import { clock, log } from "../../../log.ts";
import { wakeDrain } from "../../../queue/drain.ts";
import { enqueueBatch } from "../../../queue/node/postgres.ts";

const options = {
  readSecrets: () => readEnv(process.env, ["RELAY_SECRET", "DATABASE_URL"]).RELAY_SECRET,
  bytesMax: postgresBytesMax,
  enqueue: enqueueBatch,
  drain: wakeDrain,
  waitUntil,
  clock,
  log,
};

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: continueTrace((request) => answerEnqueue(request, options)),
});
