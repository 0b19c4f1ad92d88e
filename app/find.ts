import type { FindOptions } from "#dashboard/find/find.ts";
import { readEnv } from "#platform/env.ts";

import { clock } from "./log.ts";

/** What explains why nothing is found. Throws `ENV_INVALID`. */
export function openFind(): FindOptions {
  const env = readEnv(process.env, ["PAYLOAD_RETENTION_DAYS", "DELIVERY_RETENTION_DAYS"]);
  const retention = { eventDays: env.PAYLOAD_RETENTION_DAYS, deliveryDays: env.DELIVERY_RETENTION_DAYS };
  return { retention, nowMs: clock.nowMs() };
}
