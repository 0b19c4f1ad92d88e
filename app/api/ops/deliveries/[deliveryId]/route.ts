import { readDelivery } from "#dashboard/deliveries/read-delivery.ts";
import { noParameters, parseQuery } from "#dashboard/lists/query-parameters.ts";
import { methods } from "#platform/methods.ts";

import { getReads } from "../../../../database.ts";
import { deliveryOptions } from "../../../../delivery-options.ts";
import { opsRoute } from "../../ops-route.ts";

export const dynamic = "force-dynamic";

const answer = opsRoute<{ deliveryId: string }>(async ({ params, query }) => {
  parseQuery(noParameters, query);
  const { journey } = await readDelivery(getReads(), params.deliveryId, deliveryOptions());
  return journey;
});

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ GET: answer });
