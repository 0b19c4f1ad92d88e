import { find, parseFind } from "#dashboard/find.ts";
import { readEnv } from "#platform/env.ts";
import { methods } from "#platform/methods.ts";

import { clock } from "../../../log.ts";
import { getReads } from "../../../services.ts";
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

const answer = opsRoute(async ({ query }) => {
  const q = parseFind(query);
  const env = readEnv(process.env, ["PAYLOAD_RETENTION_DAYS", "DELIVERY_RETENTION_DAYS"]);
  const retention = { eventDays: env.PAYLOAD_RETENTION_DAYS, deliveryDays: env.DELIVERY_RETENTION_DAYS };
  return find(getReads(), q, { retention, nowMs: clock.nowMs() });
});

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ GET: answer });
