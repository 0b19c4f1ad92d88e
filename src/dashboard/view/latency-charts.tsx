"use client";

import { BarChart, LineChart } from "@mantine/charts";

import { formatMs } from "../format.ts";
import styles from "./dashboard.module.css";

/** One percentile of the ack time on both runtimes, in milliseconds. */
export interface PercentileBar {
  percentile: string;
  Edge: number | null;
  Node: number | null;
}

/** The 95th percentile of the ack time in one interval, in milliseconds. */
export interface SeriesSample {
  time: string;
  Edge: number | null;
  Node: number | null;
}

const height = 240;
const edge = { name: "Edge", color: "var(--runtime-edge)" };
const node = { name: "Node", color: "var(--runtime-node)" };
const bars = [edge, node];
/** The lines differ by more than colour. */
const lines = [edge, { ...node, strokeDasharray: "5 4" }];
const axis = { valueFormatter: (value: number) => formatMs(value), yAxisProps: { width: 68 } };

/** The percentiles of the ack time side by side. */
export function PercentileChart({ data }: { data: PercentileBar[] }) {
  return (
    <Figure caption="Ack percentiles" text={data.map((bar) => sentence(bar.percentile, bar.Edge, bar.Node)).join(" ")}>
      <BarChart
        h={height}
        data={data}
        dataKey="percentile"
        series={bars}
        withLegend
        legendProps={{ verticalAlign: "bottom" }}
        maxBarWidth={44}
        gridAxis="x"
        barProps={{ isAnimationActive: false, radius: [3, 3, 0, 0] }}
        {...axis}
      />
    </Figure>
  );
}

/** The 95th percentile of the ack time over the window. Intervals without deliveries stay empty. */
export function SeriesChart({ data }: { data: SeriesSample[] }) {
  return (
    <Figure caption="Ack p95 over time (UTC)" text="The table of the series below has the same numbers.">
      <LineChart
        h={height}
        data={data}
        dataKey="time"
        series={lines}
        withLegend
        legendProps={{ verticalAlign: "bottom" }}
        curveType="linear"
        connectNulls={false}
        strokeWidth={2}
        dotProps={{ r: 2.5, strokeWidth: 1 }}
        activeDotProps={{ r: 4 }}
        gridAxis="x"
        lineProps={{ isAnimationActive: false }}
        xAxisProps={{ minTickGap: 32 }}
        {...axis}
      />
    </Figure>
  );
}

function Figure({ caption, text, children }: { caption: string; text: string; children: React.ReactNode }) {
  return (
    <figure className={styles["figure"]}>
      <figcaption>{caption}</figcaption>
      <div role="img" aria-label={`${caption}. ${text}`} style={{ minHeight: height }}>
        {children}
      </div>
    </figure>
  );
}

function sentence(percentile: string, edgeMs: number | null, nodeMs: number | null): string {
  return `${percentile}: edge ${inWords(edgeMs)}, Node ${inWords(nodeMs)}.`;
}

function inWords(ms: number | null): string {
  return ms === null ? "no measurement" : formatMs(ms);
}
