import { listRequest, readList } from "#dashboard/lists/list-request.ts";
import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { readHandlerCounts } from "#dashboard/handlers/read-handler-counts.ts";
import { parseHandlerWindow, readHandlers } from "#dashboard/handlers/read-handlers.ts";
import { Handlers } from "#dashboard/view/handlers/handlers.tsx";
import { systemClock } from "#platform/clock.ts";

import { rollUps } from "../../services.ts";
import { readPreferences } from "../preferences.ts";
import { readSignedIn } from "../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Handlers" };

const path = "/dashboard/handlers";

/** How the user's handlers do. */
export default async function HandlersPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const nowMs = systemClock.nowMs();
  const { zone } = await readPreferences();
  const request = listRequest(await searchParams, { path, parse: parseHandlerWindow, zone, nowMs });
  const found = await readSignedIn(path, (db) =>
    readList(request, async (window) => ({
      ...(await readHandlers(db, window, { nowMs, rollUp: rollUps.now })),
      counts: await readHandlerCounts(db),
    })),
  );
  return <Handlers {...{ request, found, nowMs }} />;
}
