import { readDelivery } from "#dashboard/read-delivery.ts";

import { allowOnly } from "../../../../allow-only.ts";
import { getReads } from "../../../../services.ts";
import { opsRoute } from "../../ops-route.ts";

export const dynamic = "force-dynamic";

export const GET = opsRoute<{ deliveryId: string }>(async ({ params }) => {
  const { journey } = await readDelivery(getReads(), params.deliveryId);
  return journey;
});

const refuse = allowOnly("GET", "HEAD");
export { refuse as DELETE, refuse as OPTIONS, refuse as PATCH, refuse as POST, refuse as PUT };
