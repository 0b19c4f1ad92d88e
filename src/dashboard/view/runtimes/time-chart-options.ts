import uPlot from "uplot";

import { formatAxisTime, formatMs } from "../../format.ts";

const font = "12px system-ui, sans-serif";

/** What a chart reads at each drawing, and calls. */
export interface TimeChartSource {
  marks: () => readonly number[];
  /** The zone of the time axis. */
  zone: string;
  onChosen: (index: number | null) => void;
}

/** uPlot's options for the edge (solid) and Node (dashed) over time. Colours are read from the element at each drawing. */
export function timeChartOptions(element: HTMLElement, { marks, zone, onChosen }: TimeChartSource): uPlot.Options {
  const color = (name: string) => () => getComputedStyle(element).getPropertyValue(name);
  const line = (name: string, dash: number[]) => ({
    stroke: color(name),
    width: 2,
    dash,
    points: { show: true, size: 4, fill: color(name), dash: [] },
  });
  const axis = { stroke: color("--quiet"), font, ticks: { show: false } };
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), zone),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 8 } },
    scales: { y: { range: (_, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      { ...axis, grid: { show: false }, size: 28, space: 64, values: timeLabels(zone) },
      {
        ...axis,
        grid: { stroke: color("--line"), width: 1 },
        size: 58,
        values: (_, ms) => ms.map((value) => formatMs(value)),
      },
    ],
    series: [{}, line("--runtime-edge", []), line("--runtime-node", [5, 4])],
    hooks: {
      setCursor: [({ cursor }) => onChosen(cursor.idx ?? null)],
      drawAxes: [(plot) => drawMarks(plot, marks(), color("--quiet")())],
    },
  };
}

function timeLabels(zone: string) {
  return (plot: uPlot, seconds: number[]): string[] => {
    const { min = 0, max = 0 } = plot.scales["x"] ?? {};
    const spanMs = ((max ?? 0) - (min ?? 0)) * 1_000;
    return seconds.map((at) => formatAxisTime(new Date(at * 1_000).toISOString(), spanMs, zone));
  };
}

function drawMarks({ ctx, bbox, valToPos }: uPlot, marks: readonly number[], color: string): void {
  ctx.save();
  ctx.strokeStyle = color;
  ctx.fillStyle = color;
  ctx.font = `${Math.round(11 * uPlot.pxRatio)}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  ctx.setLineDash([3 * uPlot.pxRatio, 3 * uPlot.pxRatio]);
  marks.forEach((at, index) => {
    const left = valToPos(at, "x", true);
    if (left < bbox.left || left > bbox.left + bbox.width) return;
    ctx.beginPath();
    ctx.moveTo(left, bbox.top);
    ctx.lineTo(left, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(`${index + 1}`, left + 4 * uPlot.pxRatio, bbox.top + 10 * uPlot.pxRatio);
  });
  ctx.restore();
}
