import { deliveriesFilter, deliveriesQuery } from "#dashboard/deliveries-query.ts";
import { first, type SearchParams } from "#dashboard/overview-query.ts";
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
  const params = await searchParams;
  const query = deliveriesQuery(params);
  const filter = deliveriesFilter(query, first(params, "cursor"));
  const page = await readSignedIn("/dashboard/deliveries", (db) => readDeliveries(db, filter, systemClock));
  return (
    <Shown found={page}>
      {(found) => <Deliveries {...{ page: found, query, nowMs }} older={filter.cursor !== undefined} />}
    </Shown>
  );
}
