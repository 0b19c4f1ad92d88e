import { payloadKinds } from "#conformance/payloads.ts";
import { parseDeliveryFilter } from "#dashboard/deliveries/delivery-filter.ts";
import { listRequest, readListed } from "#dashboard/lists/list-request.ts";
import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { readDeliveries } from "#dashboard/deliveries/read-deliveries.ts";
import { Deliveries } from "#dashboard/view/deliveries/deliveries.tsx";
import { systemClock } from "#platform/clock.ts";

import { readPreferences } from "../preferences.ts";
import { readSignedIn } from "../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Deliveries" };

const path = "/dashboard/deliveries";

/** The deliveries to which all that the address names applies. */
export default async function DeliveriesPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const nowMs = systemClock.nowMs();
  const { zone } = await readPreferences();
  const request = listRequest(await searchParams, { path, parse: parseDeliveryFilter, zone, nowMs });
  const found = await readSignedIn(path, (db) =>
    readListed(request, (filter) => readDeliveries(db, filter, systemClock)),
  );
  return <Deliveries {...{ request, found, testKinds: payloadKinds, zone, nowMs }} />;
}
