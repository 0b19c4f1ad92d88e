import { deliveriesRequest } from "#dashboard/deliveries-query.ts";
import type { SearchParams } from "#dashboard/overview-query.ts";
import { readDeliveries } from "#dashboard/read-deliveries.ts";
import { Deliveries } from "#dashboard/view/deliveries.tsx";
import { Shown } from "#dashboard/view/shown.tsx";
import { systemClock } from "#platform/clock.ts";

import { readSignedIn } from "../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Deliveries" };

/** The deliveries to which all that the address names applies. */
export default async function DeliveriesPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const nowMs = systemClock.nowMs();
  const { filter, ...request } = deliveriesRequest(await searchParams);
  const page = await readSignedIn("/dashboard/deliveries", (db) => readDeliveries(db, filter, systemClock));
  return <Shown found={page}>{(found) => <Deliveries {...{ ...request, page: found, nowMs }} />}</Shown>;
}
