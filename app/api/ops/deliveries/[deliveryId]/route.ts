import { readDelivery } from "#dashboard/read-delivery.ts";
import { methods } from "#platform/methods.ts";

import { getReads } from "../../../../services.ts";
import { opsRoute } from "../../ops-route.ts";

export const dynamic = "force-dynamic";

const answer = opsRoute<{ deliveryId: string }>(async ({ params }) => {
  const { journey } = await readDelivery(getReads(), params.deliveryId);
  return journey;
});

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ GET: answer });
