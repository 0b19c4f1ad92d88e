"use client";

import { useState } from "react";

import styles from "./latency-over-time.module.css";
import { TimeChart } from "./time-chart.tsx";
import type { PlotData } from "./use-plot.ts";

/** Props of `TimeCharts`. */
export interface TimeChartsProps extends Pick<PlotData, "times" | "marks"> {
  charts: ({ name: string } & Pick<PlotData, "edge" | "node">)[];
}

/** Charts over the same time: the interval that is chosen in one is read out in all. */
export function TimeCharts({ charts, ...shared }: TimeChartsProps) {
  const [chosen, setChosen] = useState<number | null>(null);
  return (
    <div className={styles["charts"]}>
      {charts.map((chart) => (
        <TimeChart key={chart.name} {...shared} {...chart} chosen={chosen} onChosen={setChosen} />
      ))}
    </div>
  );
}
