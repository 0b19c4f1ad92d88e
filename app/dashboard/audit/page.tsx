import { listRequest, readListed } from "#dashboard/lists/list-request.ts";
import type { SearchParams } from "#dashboard/lists/search-params.ts";
import { parseAuditFilter, readAudit } from "#dashboard/access/read-audit.ts";
import { readTokenNames } from "#dashboard/access/read-ops-tokens.ts";
import { readSessions } from "#dashboard/access/read-sessions.ts";
import { Audit } from "#dashboard/view/audit/audit.tsx";
import { systemClock } from "#platform/clock.ts";

import { readPreferences } from "../preferences.ts";
import { readSignedIn } from "../signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Audit" };

const path = "/dashboard/audit";

/** Who did what, as far as the address names it, and who is signed in. */
export default async function AuditPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const nowMs = systemClock.nowMs();
  const { zone } = await readPreferences();
  const request = listRequest(await searchParams, { path, parse: parseAuditFilter, zone, nowMs });
  const found = await readSignedIn(path, async (db, { sessionId }) => {
    const names = readTokenNames(process.env);
    const listed = await readListed(request, (filter) => readAudit(db, filter));
    return { ...listed, ...(await readSessions(db, { names, sessionId, nowMs })) };
  });
  return <Audit {...{ request, found, zone, nowMs }} />;
}
