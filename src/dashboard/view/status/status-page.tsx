import { Box, Group } from "@mantine/core";

import type { WindowName } from "#measurements/runtime-comparison.ts";

import type { QueueView } from "../../status/queue-view.ts";
import type { PathFaults } from "../../status/read-path.ts";
import type { StatusPage as StatusPageData } from "../../status/read-status-page.ts";
import { Live } from "../live/live.tsx";
import { EmptyState } from "../notices.tsx";
import { Panel } from "../panel.tsx";
import { PathFaultBanners } from "./path-banners.tsx";
import { PauseBanner } from "../pause/pause-banner.tsx";
import { PauseControl } from "../pause/pause-control.tsx";
import { RefusalsPanel } from "./refusals-panel.tsx";
import text from "../text.module.css";
import { StatusNotes } from "./status-notes.tsx";
import { StatusTiles } from "./status-tiles.tsx";
import styles from "./status.module.css";
import { TrafficPanel } from "./traffic-panel.tsx";

/** Props of `StatusPage`. */
export interface StatusPageProps {
  page: StatusPageData;
  faults: PathFaults;
  queue: QueueView;
  window: WindowName;
  /** The reader's zone. */
  zone: string;
  nowMs: number;
}

/** The dashboard's first page: what is wrong, in the order in which an operator asks. */
export function StatusPage({ page, faults, queue, window, zone, nowMs }: StatusPageProps) {
  const { status, traffic, alerts, refusals, isNew } = page;
  const pausedSince = status.items.find(({ name }) => name === "pause")?.since ?? null;
  const hasFault = Object.values(faults).some((fault) => fault !== null);
  return (
    <>
      <Group justify="space-between" align="center" gap="8px 24px">
        <h1 className={text["pageTitle"]}>Status</h1>
        <Live list="status" mark={status.lastDeliveryAt ?? new Date(nowMs).toISOString()} nowMs={nowMs} />
      </Group>
      <PathFaultBanners {...faults} queue={queue} />
      <PauseBanner since={pausedSince} queue={queue} nowMs={nowMs} />
      <p className={styles["sentence"]} data-state={status.status}>
        <strong>{stateNames[status.status]}</strong> {status.sentence}
      </p>
      {/* If no delivery can get through, the page must not ask for a first one. */}
      {isNew && !hasFault && <EmptyState />}
      <StatusTiles items={status.items} nowMs={nowMs} />
      <StatusNotes status={status} alerts={alerts} nowMs={nowMs} />
      {!isNew && <TrafficPanel {...{ traffic, window, zone, nowMs }} />}
      {pausedSince === null && (
        <Panel id="ingestion" title="Ingestion">
          <Box px={20} py={14}>
            <PauseControl since={null} queue={queue} />
          </Box>
        </Panel>
      )}
      {refusals.length > 0 && <RefusalsPanel refusals={refusals} nowMs={nowMs} />}
    </>
  );
}

const stateNames = { ok: "All is well.", attention: "Needs attention.", failing: "Failing." };
