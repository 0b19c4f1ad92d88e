import { type RefObject, useEffect, useRef } from "react";
import uPlot from "uplot";

import { usePreferences } from "../preferences.tsx";
import { timeChartOptions } from "./time-chart-options.ts";

/** Data of both runtimes over time, and times that are marked. */
export interface PlotData {
  /** The starts of the intervals, in seconds since the epoch, oldest first. */
  times: number[];
  /** In milliseconds; null where nothing was measured. */
  edge: (number | null)[];
  node: (number | null)[];
  /** Times that are marked by a numbered line, in seconds since the epoch. */
  marks: number[];
}

/**
 * Draws the data into the element of `box`, follows its size and the colour scheme, and calls `onChosen` with
 * the interval under the pointer, null for none. `choose` does what the pointer does.
 */
export function usePlot({ times, edge, node, marks }: PlotData, onChosen: (index: number | null) => void) {
  const { zone } = usePreferences();
  const box = useRef<HTMLDivElement>(null);
  const plot: RefObject<uPlot | null> = useRef(null);
  const latest = useRef<{ data: uPlot.AlignedData; marks: number[] }>({ data: [times, edge, node], marks });

  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const options = timeChartOptions(element, { marks: () => latest.current.marks, zone, onChosen });
    const made = new uPlot(options, latest.current.data, element);
    plot.current = made;
    const resized = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    // The canvas keeps the colours that it was drawn with. `false`: before the first drawing there are no scales to keep.
    const recoloured = new MutationObserver(() => made.redraw(false));
    resized.observe(element);
    recoloured.observe(document.documentElement, { attributeFilter: ["data-mantine-color-scheme"] });
    return () => {
      resized.disconnect();
      recoloured.disconnect();
      made.destroy();
    };
  }, [zone, onChosen]);

  useEffect(() => {
    latest.current = { data: [times, edge, node], marks };
    plot.current?.setData(latest.current.data);
  }, [times, edge, node, marks]);

  const choose = (index: number) => {
    const time = times[index];
    if (plot.current === null || time === undefined) return;
    plot.current.setCursor({ left: plot.current.valToPos(time, "x"), top: 0 });
  };
  return { box, choose };
}
