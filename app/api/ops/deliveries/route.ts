import { parseDeliveryFilter } from "#dashboard/deliveries/delivery-filter.ts";
import { readDeliveries } from "#dashboard/deliveries/read-deliveries.ts";
import { systemClock } from "#platform/clock.ts";
import { methods } from "#platform/methods.ts";

import { getReads } from "../../../database.ts";
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: opsRoute(({ query }) => readDeliveries(getReads(), parseDeliveryFilter(query), systemClock)),
});
