import { Group } from "@mantine/core";
import Link from "next/link";

import type { RuntimeSummary, WindowName } from "#measurements/runtime-comparison.ts";

import { formatTime } from "../format.ts";
import type { Overview as OverviewData } from "../read-overview.ts";
import type { PathFaults } from "../read-path.ts";
import { everything, runtimesHref } from "../runtimes-query.ts";
import text from "./text.module.css";
import { DeadLettersPanel } from "./dead-letters-panel.tsx";
import { HandlerCountsPanel } from "./handler-counts-panel.tsx";
import { EmptyState, LostBanner, RefusedBanner } from "./notices.tsx";
import { MaintenanceBanner, OpenWorkPanel } from "./open-work.tsx";
import { PageHead } from "./page-head.tsx";
import { Pair } from "./panel.tsx";
import { PauseBanner } from "./pause/pause-banner.tsx";
import { PathFaultBanners, RefusalsBanner } from "./path-banners.tsx";
import { RefusalsPanel } from "./refusals-panel.tsx";
import { RuntimeCard } from "./runtime-card.tsx";
import { windowLabel, WindowSelector } from "./window-selector.tsx";

/** Props of `Overview`. */
export interface OverviewProps {
  overview: OverviewData;
  window: WindowName;
  /** The text that the events are searched for; empty for all events. */
  q: string;
  /** Whether this page of events is not the newest. */
  older: boolean;
  nowMs: number;
}

/** The dashboard's first page. */
export function Overview({ overview, faults, window, q, older, nowMs }: OverviewProps & { faults: PathFaults }) {
  const { comparison, page, counts, work, groups, refusals } = overview;
  const sum = (count: (summary: RuntimeSummary) => number) =>
    comparison.runtimes.reduce((total, summary) => total + count(summary), 0);
  const deliveries = sum((summary) => summary.deliveries);
  const lost = sum((summary) => summary.lost);
  const refused = sum((summary) => summary.refused);
  // RefusedBanner shows those that were not kept: they have reports, which count them too.
  const turnedAway = refusals.totals.filter(({ reason }) => reason !== "NOT_KEPT");
  const isNew = deliveries === 0 && page.events.length === 0 && q === "" && !older;
  // If no delivery can get through, the page must not ask for a first one.
  const isHindered = refusals.newest.length > 0 || faults.configuration !== null || faults.redirectsTo !== null;
  return (
    <>
      <Group justify="space-between" align="end" gap="14px 24px">
        <PageHead
          title="Overview"
          hint={`Deliveries received in ${windowLabel(window)}, as of ${formatTime(comparison.window.to, nowMs)} UTC`}
        />
        <WindowSelector current={window} hrefOf={(name) => `/dashboard?window=${name}`} />
      </Group>
      {lost > 0 && <LostBanner lost={lost} window={windowLabel(window)} />}
      <PathFaultBanners {...faults} />
      <MaintenanceBanner work={work} nowMs={nowMs} />
      <PauseBanner since={work.ingestionPausedSince} nowMs={nowMs} />
      {refused > 0 && <RefusedBanner refused={refused} window={windowLabel(window)} />}
      {turnedAway.length > 0 && <RefusalsBanner totals={turnedAway} window={windowLabel(window)} nowMs={nowMs} />}
      {isNew && !isHindered && <EmptyState />}
      <Pair>
        {comparison.runtimes.map((summary) => (
          <RuntimeCard key={summary.runtime} summary={summary} />
        ))}
      </Pair>
      {!isNew && (
        <>
          <p className={text["prose"]}>
            {comparison.verdict.sentence}{" "}
            <Link href={runtimesHref({ ...everything, window })} prefetch={false}>
              Compare edge and Node
            </Link>
          </p>
          <Pair>
            <OpenWorkPanel work={work} nowMs={nowMs} />
            <HandlerCountsPanel counts={counts} />
          </Pair>
          <DeadLettersPanel groups={groups} nowMs={nowMs} />
        </>
      )}
      {refusals.newest.length > 0 && <RefusalsPanel refusals={refusals.newest} nowMs={nowMs} />}
    </>
  );
}
