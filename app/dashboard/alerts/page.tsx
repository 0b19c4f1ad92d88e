import { requirePlainAddress } from "#dashboard/lists/list-request.ts";
import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { Alerts } from "#dashboard/view/alerts/alerts.tsx";
import { systemClock } from "#platform/clock.ts";

import { readAlertsNow } from "../../alerts.ts";
import { readSignedIn } from "../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Alerts" };

/** What fires, where it is sent, and every rule. */
export default async function AlertsPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const given = await searchParams;
  const nowMs = systemClock.nowMs();
  const found = await readSignedIn("/dashboard/alerts", async () => {
    requirePlainAddress(given);
    return readAlertsNow();
  });
  return <Alerts found={found} nowMs={nowMs} />;
}
