import { notFound } from "next/navigation";

import { eventsPage } from "#dashboard/overview-query.ts";
import { readDelivery } from "#dashboard/read-delivery.ts";
import { readEvents } from "#dashboard/read-events.ts";
import { Delivery } from "#dashboard/view/delivery.tsx";
import { Unavailable } from "#dashboard/view/notices.tsx";
import { systemClock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";

import { readSignedIn } from "../../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Delivery" };

interface Props {
  params: Promise<{ deliveryId: string }>;
  searchParams: Promise<{ cursor?: string | string[] }>;
}

export default async function DeliveryPage({ params, searchParams }: Props) {
  // Next hands a page its parameters still percent-encoded; a malformed one never gets here.
  const deliveryId = decodeURIComponent((await params).deliveryId);
  const { cursor } = await searchParams;
  const found = await readSignedIn(`/dashboard/deliveries/${deliveryId}`, async (db) => ({
    ...(await readDelivery(db, deliveryId)),
    page: await readEvents(db, eventsPage({ deliveryId, limit: "50" }, [cursor].flat()[0] ?? "").filter),
  }));
  if (!(found instanceof RelayError)) return <Delivery {...found} nowMs={systemClock.nowMs()} />;
  if (found.code === "NOT_FOUND") notFound();
  return <Unavailable reason={found.message} />;
}
