import { Button, Group, TextInput } from "@mantine/core";
import Link from "next/link";

import type { RuntimeSummary, WindowName } from "#measurements/runtime-comparison.ts";

import { formatTime } from "../format.ts";
import type { Overview as OverviewData } from "../read-overview.ts";
import type { PathFaults } from "../read-path.ts";
import { everything, runtimesHref } from "../runtimes-query.ts";
import styles from "./overview.module.css";
import pagers from "./pager.module.css";
import text from "./text.module.css";
import { DeadLettersPanel } from "./dead-letters-panel.tsx";
import { EventsTable } from "./events-table.tsx";
import { HandlerCountsPanel } from "./handler-counts-panel.tsx";
import { EmptyState, LostBanner, RefusedBanner } from "./notices.tsx";
import { MaintenanceBanner, OpenWorkPanel } from "./open-work.tsx";
import { PageHead } from "./page-head.tsx";
import { Pair, Panel } from "./panel.tsx";
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
        <p className={text["nothing"]}>{nothingFound(q, page.scannedTo, nowMs)}</p>
      ) : (
        <EventsTable events={page.events} nowMs={nowMs} />
      )}
      {(older || page.nextCursor !== null) && (
        <nav aria-label="Pages of events" className={pagers["pager"]}>
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
