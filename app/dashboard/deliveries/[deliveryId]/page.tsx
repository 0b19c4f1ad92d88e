import { notFound } from "next/navigation";

import { parseDeliveryPart } from "#dashboard/events/event-request.ts";
import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { readDeliveryPage } from "#dashboard/deliveries/read-delivery-page.ts";
import { Delivery } from "#dashboard/view/delivery/delivery.tsx";
import { Shown } from "#dashboard/view/shown.tsx";
import { systemClock } from "#platform/clock.ts";

import { deliveryOptions } from "../../../delivery-options.ts";
import { readPreferences } from "../../preferences.ts";
import { readSignedIn } from "../../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Delivery" };

interface Props {
  params: Promise<{ deliveryId: string }>;
  searchParams: Promise<SearchParams>;
}

/** One delivery's way from Meta to the handlers, and its events. */
export default async function DeliveryPage({ params, searchParams }: Props) {
  // Next passes a parameter percent-encoded; it answers a malformed one itself.
  const deliveryId = decodeURIComponent((await params).deliveryId);
  const given = await searchParams;
  const { showsText } = await readPreferences();
  const { queue, ...options } = deliveryOptions();
  const { handlerRetries } = options;
  const found = await readSignedIn(`/dashboard/deliveries/${deliveryId}`, async (db) =>
    readDeliveryPage(db, deliveryId, { ...parseDeliveryPart(given), ...options, showsText, clock: systemClock }),
  );
  return (
    <Shown title="Delivery" found={found} onNotFound={notFound}>
      {(page) => <Delivery {...{ ...page, handlerRetries, showsText, queue, nowMs: systemClock.nowMs() }} />}
    </Shown>
  );
}
