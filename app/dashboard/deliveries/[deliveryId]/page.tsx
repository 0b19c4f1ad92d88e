import { notFound } from "next/navigation";

import { deliveryEvents, type SearchParams } from "#dashboard/overview-query.ts";
import { readDelivery } from "#dashboard/read-delivery.ts";
import { readEvents } from "#dashboard/read-events.ts";
import { Delivery } from "#dashboard/view/delivery.tsx";
import { Shown } from "#dashboard/view/shown.tsx";
import { systemClock } from "#platform/clock.ts";

import { deliveryOptions } from "../../../delivery-options.ts";
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
  const filter = deliveryEvents(deliveryId, await searchParams);
  const found = await readSignedIn(`/dashboard/deliveries/${deliveryId}`, async (db) => ({
    ...(await readDelivery(db, deliveryId, deliveryOptions())),
    page: await readEvents(db, filter, systemClock),
  }));
  return (
    <Shown found={found} onNotFound={notFound}>
      {(delivery) => <Delivery {...delivery} nowMs={systemClock.nowMs()} />}
    </Shown>
  );
}
