"use client";

import "uplot/dist/uPlot.min.css";

import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import uPlot from "uplot";

import { formatInstant, formatMs } from "../../format.ts";
import { RuntimeMark } from "../runtime-mark.tsx";
import { timeChartOptions } from "./time-chart-options.ts";
import styles from "./time-chart.module.css";

/** Props of `TimeChart`. */
export interface TimeChartProps {
  name: string;
  /** The starts of the intervals, in seconds since the epoch, oldest first. */
  times: number[];
  /** In milliseconds; null where nothing was measured. */
  edge: (number | null)[];
  node: (number | null)[];
  /** Times that are marked by a numbered line, in seconds since the epoch. */
  marks: number[];
}

/** One figure of both runtimes over time. The pointer, or the arrow keys, choose the interval whose values are shown. */
export function TimeChart({ name, times, edge, node, marks }: TimeChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  const marked = useRef(marks);
  const initial = useRef<uPlot.AlignedData>([times, edge, node]);
  const [chosen, setChosen] = useState<number | null>(null);

  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const plot = new uPlot(timeChartOptions(element, marked, setChosen), initial.current, element);
    chart.current = plot;
    const resized = new ResizeObserver(() =>
      plot.setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    // The canvas keeps the colours that it was drawn with. `false`: before the first drawing there are no scales to keep.
    const recoloured = new MutationObserver(() => plot.redraw(false));
    resized.observe(element);
    recoloured.observe(document.documentElement, { attributeFilter: ["data-mantine-color-scheme"] });
    return () => {
      resized.disconnect();
      recoloured.disconnect();
      plot.destroy();
    };
  }, []);
  useEffect(() => {
    marked.current = marks;
    chart.current?.setData([times, edge, node]);
  }, [times, edge, node, marks]);

  const last = times.findLastIndex((_, at) => edge[at] !== null || node[at] !== null);
  const index = Math.min(chosen ?? last, times.length - 1);
  const at = formatInstant(new Date((times[index] ?? 0) * 1_000).toISOString()).replace(/:\d\d\.\d+/, "");
  const choose = (event: KeyboardEvent) => {
    const to = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: times.length - 1 }[event.key];
    const time = to === undefined ? undefined : times[to];
    if (time === undefined) return;
    event.preventDefault();
    chart.current?.setCursor({ left: chart.current.valToPos(time, "x"), top: 0 });
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
        onKeyDown={choose}
        aria-label={`${name} over time`}
        aria-valuemin={0}
        aria-valuemax={times.length - 1}
        aria-valuenow={index}
        aria-valuetext={`${at}: edge ${formatMs(edge[index])}, Node ${formatMs(node[index])}`}
      />
    </figure>
  );
}
