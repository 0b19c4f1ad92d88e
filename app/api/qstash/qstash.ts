// What both of QStash's routes are built from.
import { systemClock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import type { QstashRouteOptions } from "#ingestion/qstash-route.ts";

import { log } from "../../log.ts";

/** Options for the route at this path: each accepts only what was signed for its own address. */
export function qstashRouteOptions(path: string): QstashRouteOptions {
  return {
    clock: systemClock,
    log,
    readQstash: () => {
      const env = readEnv(process.env, [
        "QSTASH_CURRENT_SIGNING_KEY",
        "QSTASH_NEXT_SIGNING_KEY",
        "RELAY_URL",
        "DATABASE_URL",
      ]);
      return {
        currentSigningKey: env.QSTASH_CURRENT_SIGNING_KEY,
        nextSigningKey: env.QSTASH_NEXT_SIGNING_KEY,
        urls: env.RELAY_URL.map((url) => `${url}${path}`),
      };
    },
  };
}
