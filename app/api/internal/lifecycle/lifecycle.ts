// Builds the adapters of the lifecycle experiment's parts, one on each runtime; both routes are this.
import { waitUntil } from "@vercel/functions";
import { after } from "next/server";

import type { Schedulers } from "#lifecycle-experiment/begin-work.ts";
import { handleLifecycleRun } from "#lifecycle-experiment/run-handler.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import { createLog, writeToConsole } from "#platform/log.ts";

const log = createLog({ clock, write: writeToConsole });

/**
 * Looked up when they are used: what a runtime lacks is to be found out then, and through `globalThis`, where the build
 * does not warn of them.
 */
const schedulers: Schedulers = {
  setImmediate: (begin) => globalThis.setImmediate(begin),
  nextTick: (begin) => globalThis.process.nextTick(begin),
  setTimeout: (begin) => setTimeout(begin, 0),
  after,
  waitUntil,
};

export function POST(request: Request): Promise<Response> {
  return handleLifecycleRun(request, {
    // Inlined by the build of each route.
    runtime: process.env.NEXT_RUNTIME === "edge" ? "edge" : "nodejs",
    region: process.env["VERCEL_REGION"] ?? null,
    schedulers,
    readSettings,
    fetch,
    clock,
    log,
  });
}

function readSettings() {
  const env = readEnv(process.env, ["RELAY_SECRET", "RELAY_URL", "VERCEL_AUTOMATION_BYPASS_SECRET"]);
  return {
    url: `${env.RELAY_URL[0]}/api/internal/lifecycle-marks`,
    secret: env.RELAY_SECRET,
    bypassSecret: env.VERCEL_AUTOMATION_BYPASS_SECRET,
  };
}
