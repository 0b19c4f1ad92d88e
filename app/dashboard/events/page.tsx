import { parseEventFilter, shownData } from "#dashboard/events/event-filter.ts";
import { listRequest, readListed } from "#dashboard/lists/list-request.ts";
import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { readEvents } from "#dashboard/events/read-events.ts";
import { Events } from "#dashboard/view/events/events.tsx";
import { eventKinds } from "#instagram/events.ts";
import { systemClock } from "#platform/clock.ts";

import { deliveryOptions } from "../../delivery-options.ts";
import { readPreferences } from "../preferences.ts";
import { readSignedIn } from "../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Events" };

const path = "/dashboard/events";

/** The events to which all that the address names applies. */
export default async function EventsPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const nowMs = systemClock.nowMs();
  const { zone, showsText } = await readPreferences();
  const request = listRequest(await searchParams, { path, parse: parseEventFilter, zone, nowMs });
  const found = await readSignedIn(path, (db) =>
    readListed(request, (filter) => readEvents(db, shownData(filter, showsText), systemClock)),
  );
  const { handlerRetries } = deliveryOptions();
  return <Events {...{ request, found, kinds: eventKinds, zone, showsText, handlerRetries, nowMs }} />;
}
