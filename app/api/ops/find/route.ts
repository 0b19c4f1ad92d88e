import { createFinder, parseFind } from "#dashboard/find/find.ts";
import { readEnv } from "#platform/env.ts";
import { methods } from "#platform/methods.ts";

import { getReads } from "../../../database.ts";
import { clock } from "../../../log.ts";
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

const find = createFinder({
  openReads: getReads,
  readRetention() {
    const env = readEnv(process.env, ["PAYLOAD_RETENTION_DAYS", "DELIVERY_RETENTION_DAYS"]);
    return { eventDays: env.PAYLOAD_RETENTION_DAYS, deliveryDays: env.DELIVERY_RETENTION_DAYS };
  },
  clock,
});

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: opsRoute(({ query }) => find(parseFind(query))),
});
