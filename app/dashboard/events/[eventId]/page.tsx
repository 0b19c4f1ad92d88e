import { notFound } from "next/navigation";

import { parsePayloadPart } from "#dashboard/events/event-request.ts";
import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { readEvent } from "#dashboard/events/read-event.ts";
import { parseRowId } from "#dashboard/lists/row-id.ts";
import { Event } from "#dashboard/view/event/event.tsx";
import { Shown } from "#dashboard/view/shown.tsx";
import { systemClock } from "#platform/clock.ts";

import { deliveryOptions } from "../../../delivery-options.ts";
import { readSignedIn } from "../../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Event" };

interface Props {
  params: Promise<{ eventId: string }>;
  searchParams: Promise<SearchParams>;
}

/** One event with everything that is known of it. */
export default async function EventPage({ params, searchParams }: Props) {
  const { eventId } = await params;
  const given = await searchParams;
  const { queue, ...options } = deliveryOptions();
  const found = await readSignedIn(`/dashboard/events/${eventId}`, async (db) => ({
    part: parsePayloadPart(given),
    report: await readEvent(db, parseRowId(eventId), options),
  }));
  return (
    <Shown title="Event" found={found} onNotFound={notFound}>
      {({ report, part }) => <Event {...{ ...report, part, queue, nowMs: systemClock.nowMs() }} />}
    </Shown>
  );
}
