import { answerMetrics } from "#dashboard/metrics/answer-metrics.ts";
import { createMetricsParts } from "#dashboard/metrics/metrics-parts.ts";
import { createMetricsReader } from "#dashboard/metrics/read-metrics.ts";
import { goOnAfterAnswer } from "#ingestion/after-answer.ts";
import { methods } from "#platform/methods.ts";
import { waitUntil } from "@vercel/functions";

import { getReads } from "../../database.ts";
import { clock, log } from "../../log.ts";
import { createOpsAccess } from "../../ops-access.ts";
import { rollUps } from "../../services.ts";

export const dynamic = "force-dynamic";

/** One for the process: scrapers at the same time share a reading. */
const readMetrics = createMetricsReader(createMetricsParts(getReads, log), { clock, log });

/** So that the next scrape has what is not in this one. */
const afterwards = () => goOnAfterAnswer(rollUps.now(), { waitUntil, log });

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: (request: Request) => answerMetrics(request, createOpsAccess(), { readMetrics, afterwards }),
});
