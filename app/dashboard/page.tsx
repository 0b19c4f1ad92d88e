import { overviewQuery } from "#dashboard/overview-query.ts";
import { readOverview } from "#dashboard/read-overview.ts";
import { Unavailable } from "#dashboard/view/notices.tsx";
import { Overview } from "#dashboard/view/overview.tsx";
import { systemClock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";

import { findPathFaults } from "../services.ts";
import { readSignedIn } from "./signed-in.ts";

export const dynamic = "force-dynamic";
export const metadata = { title: "Overview" };

interface Props {
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}

export default async function OverviewPage({ searchParams }: Props) {
  const nowMs = systemClock.nowMs();
  const { window, q, filter, older } = overviewQuery(await searchParams);
  const [overview, faults] = await Promise.all([
    readSignedIn("/dashboard", (db) => readOverview(db, { window, filter, nowMs })),
    findPathFaults(),
  ]);
  if (overview instanceof RelayError) return <Unavailable reason={overview.message} />;
  return <Overview {...{ overview, faults, window, q, older, nowMs }} />;
}
