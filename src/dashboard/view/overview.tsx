import { Button, Group, TextInput } from "@mantine/core";
import Link from "next/link";

import type { RuntimeSummary, WindowName } from "#measurements/runtime-comparison.ts";

import { formatTime } from "../format.ts";
import type { Overview as OverviewData } from "../read-overview.ts";
import type { PathFaults } from "../read-path.ts";
import { ComparisonCharts } from "./comparison-charts.tsx";
import styles from "./dashboard.module.css";
import { DeadLettersPanel } from "./dead-letters-panel.tsx";
import { EventsTable } from "./events-table.tsx";
import { HandlerCountsPanel } from "./handler-counts-panel.tsx";
import { LatencyTable } from "./latency-table.tsx";
import { EmptyState, LostBanner, RefusedBanner } from "./notices.tsx";
import { MaintenanceBanner, OpenWorkPanel, PauseBanner } from "./open-work.tsx";
import { Pair, Panel } from "./panel.tsx";
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
export function Overview({ overview, faults, ...props }: OverviewProps & { faults: PathFaults }) {
  const { window, q, older, nowMs } = props;
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
        <div>
          <h1 className={styles["pageTitle"]}>Edge and Node</h1>
          <p className={styles["pageHint"]}>
            Deliveries received in {windowLabel(window)}, as of {formatTime(comparison.window.to, nowMs)} UTC
          </p>
        </div>
        <WindowSelector current={window} />
      </Group>
      {lost > 0 && <LostBanner lost={lost} window={windowLabel(window)} />}
      <PathFaultBanners {...faults} />
      <MaintenanceBanner work={work} nowMs={nowMs} />
      <PauseBanner work={work} nowMs={nowMs} />
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
          <p className={styles["verdict"]}>No probe has been measured yet. Only probes show which runtime is faster.</p>
          <ComparisonCharts comparison={comparison} />
          <LatencyTable comparison={comparison} />
          <Events overview={overview} {...props} />
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

function Events({ overview, window, q, older, nowMs }: OverviewProps) {
  const { page } = overview;
  const href = (cursor?: string) =>
    `/dashboard?${new URLSearchParams({ window, ...(q === "" ? {} : { q }), ...(cursor === undefined ? {} : { cursor }) })}#events`;
  return (
    <Panel
      id="events"
      title="Events"
      aside={
        <search>
          <form method="get" action="/dashboard#events">
            <Group gap={8} wrap="nowrap">
              <input type="hidden" name="window" value={window} />
              <TextInput
                size="xs"
                w="clamp(140px, 50vw, 240px)"
                miw={0}
                classNames={{ input: styles["search"] ?? "" }}
                type="search"
                name="q"
                defaultValue={q}
                maxLength={300}
                aria-label="Search events"
                placeholder="Id, key or text"
              />
              <Button type="submit" variant="default" size="xs" flex="none">
                Search
              </Button>
            </Group>
          </form>
        </search>
      }
    >
      {page.events.length === 0 ? (
        <p className={styles["nothing"]}>{nothingFound(q, page.scannedTo, nowMs)}</p>
      ) : (
        <EventsTable events={page.events} nowMs={nowMs} />
      )}
      {(older || page.nextCursor !== null) && (
        <nav aria-label="Pages of events" className={styles["pager"]}>
          {older && (
            <Link href={href()} prefetch={false}>
              Newest
            </Link>
          )}
          {page.nextCursor !== null && (
            <Link href={href(page.nextCursor)} prefetch={false}>
              {page.scannedTo === null ? "Older" : `Search on, before ${formatTime(page.scannedTo, nowMs)} UTC`}
            </Link>
          )}
        </nav>
      )}
    </Panel>
  );
}

function nothingFound(q: string, scannedTo: string | null, nowMs: number): string {
  if (q === "") return "No events are stored.";
  if (scannedTo === null) return `No stored event contains “${q}”.`;
  return `No event since ${formatTime(scannedTo, nowMs)} UTC contains “${q}”.`;
}
