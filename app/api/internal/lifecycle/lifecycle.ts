// Builds the adapters of the two routes that start the lifecycle experiment's runs, one on each runtime.
import { after } from "next/server";

import type { Schedulers } from "#lifecycle-experiment/begin-work.ts";
import { answerRun } from "#lifecycle-experiment/answer-run.ts";
import { readPlace } from "#platform/delivery.ts";
import { waitUntil } from "@vercel/functions";
import { readDeliveryEnv } from "#platform/webhook-env.ts";

import { clock, log } from "../../../log.ts";

/**
 * Each is looked up when it is called, so that a missing one throws then. Through `globalThis`, because the edge build
 * warns of a direct use of Node's functions.
 */
const schedulers: Schedulers = {
  setImmediate: (begin) => globalThis.setImmediate(begin),
  nextTick: (begin) => globalThis.process.nextTick(begin),
  setTimeout: (begin) => setTimeout(begin, 0),
  after,
  waitUntil,
};

export function answer(request: Request): Promise<Response> {
  return answerRun(request, {
    ...readPlace(process.env.NEXT_RUNTIME, process.env),
    schedulers,
    readSettings,
    fetch,
    clock,
    log,
  });
}

function readSettings() {
  const env = readDeliveryEnv(process.env, "RELAY_SECRET", "RELAY_URL", "VERCEL_AUTOMATION_BYPASS_SECRET");
  return {
    relayUrl: env.RELAY_URL[0],
    path: "/api/internal/lifecycle-marks",
    secret: env.RELAY_SECRET[0],
    bypassSecret: env.VERCEL_AUTOMATION_BYPASS_SECRET,
  };
}
