import { statusWindow } from "#dashboard/status/status-window.ts";
import { readStatusPage } from "#dashboard/status/read-status-page.ts";
import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { StatusPage } from "#dashboard/view/status/status-page.tsx";
import { Shown } from "#dashboard/view/shown.tsx";

import { findPathFaults } from "../services.ts";
import { queueView } from "../queue/queue.ts";
import { openStatus } from "../status.ts";
import { readPreferences } from "./preferences.ts";
import { readSignedIn } from "./signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Status" };

/** Whether anything is wrong, and then how the traffic is. */
export default async function Page({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const given = await searchParams;
  const { zone } = await readPreferences();
  const options = openStatus();
  const [read, faults] = await Promise.all([
    readSignedIn("/dashboard", async (db) => {
      const window = statusWindow(given);
      return { window, page: await readStatusPage(db, { ...options, window, zone }) };
    }),
    findPathFaults(),
  ]);
  return (
    <Shown title="Status" found={read}>
      {(found) => <StatusPage {...{ ...found, faults, queue: queueView(), zone, nowMs: options.nowMs }} />}
    </Shown>
  );
}
