"use client";

import "uplot/dist/uPlot.min.css";

import type { KeyboardEvent } from "react";

import { formatMinute, formatMs } from "../../format.ts";
import { usePreferences } from "../preferences.tsx";
import { RuntimeMark } from "../runtime-mark.tsx";
import styles from "./time-chart.module.css";
import { type PlotData, usePlot } from "./use-plot.ts";

/** Props of `TimeChart`. */
export interface TimeChartProps extends PlotData {
  name: string;
  /** The interval whose values are shown; null for the newest one that has any. */
  chosen: number | null;
  onChosen: (index: number | null) => void;
}

/** One figure of both runtimes over time. The pointer, or the arrow keys, choose the interval whose values are shown. */
export function TimeChart({ name, chosen, onChosen, ...data }: TimeChartProps) {
  const { times, edge, node } = data;
  const { zone } = usePreferences();
  const { box, choose } = usePlot(data, onChosen);

  const newest = times.findLastIndex((_, at) => edge[at] !== null || node[at] !== null);
  const index = Math.min(chosen ?? newest, times.length - 1);
  const at = formatMinute(new Date((times[index] ?? 0) * 1_000).toISOString(), zone);
  const step = (event: KeyboardEvent) => {
    const to = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: times.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(to);
  };
  return (
    <figure className={styles["figure"]}>
      <figcaption className={styles["caption"]}>
        <strong>{name}</strong>
        <span>
          <RuntimeMark runtime="edge" /> {formatMs(edge[index])}
        </span>
        <span>
          <RuntimeMark runtime="nodejs" /> {formatMs(node[index])}
        </span>
        <span className={styles["at"]}>{at}</span>
      </figcaption>
      <div
        ref={box}
        className={styles["box"]}
        role="slider"
        tabIndex={0}
        onKeyDown={step}
        aria-label={`${name} over time`}
        aria-valuemin={0}
        aria-valuemax={times.length - 1}
        aria-valuenow={index}
        aria-valuetext={`${at}: edge ${formatMs(edge[index])}, Node ${formatMs(node[index])}`}
      />
    </figure>
  );
}
