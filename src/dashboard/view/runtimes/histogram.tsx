import type { HistogramBar } from "#measurements/distribution.ts";

import { formatMs, formatShare } from "../../format.ts";
import { ScrollBox } from "../panel.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";
import styles from "./histogram.module.css";

/** Props of `Histogram`. */
export interface HistogramProps {
  name: string;
  edge: readonly HistogramBar[];
  node: readonly HistogramBar[];
}

/** Shares of each runtime's measurements, so that more traffic does not make taller bars. */
interface Bin {
  fromMs: number;
  toMs: number;
  edge: number;
  node: number;
}

/** Half a label, in percent of the axis on a narrow screen. */
const labelHalf = 8;

/** The distribution on both runtimes over one logarithmic axis: the edge's upwards, Node's downwards. */
export function Histogram({ name, edge, node }: HistogramProps) {
  const bins = binsOf(edge, node);
  const first = bins[0];
  const last = bins.at(-1);
  if (first === undefined || last === undefined) return null;
  const tallest = Math.max(...bins.map((bin) => Math.max(bin.edge, bin.node)));
  const width = 100 / bins.length;
  return (
    <>
      <div className={styles["plot"]} aria-hidden>
        <svg viewBox="0 0 100 100" preserveAspectRatio="none">
          {bins.map((bin, index) => {
            const box = { x: index * width, width };
            const up = (48 * bin.edge) / tallest;
            const down = (48 * bin.node) / tallest;
            return (
              <g key={bin.fromMs}>
                <rect className={styles["edge"]} {...box} y={49.5 - up} height={up} />
                <rect className={styles["node"]} {...box} y={50.5} height={down} />
              </g>
            );
          })}
          <line className={styles["axis"]} x1="0" x2="100" y1="50" y2="50" />
        </svg>
        {ticks(first.fromMs, last.toMs).map(({ ms, left }) => (
          <span key={ms} className={styles["tick"]} style={{ left: `${left}%` }}>
            {tickLabel(ms)}
          </span>
        ))}
      </div>
      <details className={text["details"]}>
        <summary>{name} as a table</summary>
        <ScrollBox label={`${name}, distribution`}>
          <table className={tables["table"]}>
            <thead>
              <tr>
                <th scope="col">From</th>
                <th scope="col">To</th>
                <th scope="col">Edge</th>
                <th scope="col">Node</th>
              </tr>
            </thead>
            <tbody>
              {bins
                .filter((bin) => bin.edge + bin.node > 0)
                .map((bin) => (
                  <tr key={bin.fromMs}>
                    <th scope="row">{formatMs(bin.fromMs)}</th>
                    <td data-numeric>{formatMs(bin.toMs)}</td>
                    <td data-numeric>{formatShare(bin.edge)}</td>
                    <td data-numeric>{formatShare(bin.node)}</td>
                  </tr>
                ))}
            </tbody>
          </table>
        </ScrollBox>
      </details>
    </>
  );
}

/** One bin for each width of a bar from the shortest to the longest time; what took no time at all has no place on the axis. */
function binsOf(edge: readonly HistogramBar[], node: readonly HistogramBar[]): Bin[] {
  const bars = [...edge, ...node].filter(({ fromMs }) => fromMs > 0).toSorted((a, b) => a.fromMs - b.fromMs);
  const first = bars[0];
  const last = bars.at(-1);
  if (first === undefined || last === undefined) return [];
  const width = first.toMs / first.fromMs;
  const indexOf = (bar: HistogramBar) => Math.round(Math.log(bar.fromMs / first.fromMs) / Math.log(width));
  const sharesOf = (all: readonly HistogramBar[]) => {
    const total = all.reduce((sum, { count }) => sum + count, 0);
    return new Map(all.map((bar) => [indexOf(bar), bar.count / total]));
  };
  const [edgeShares, nodeShares] = [sharesOf(edge), sharesOf(node)];
  return Array.from({ length: indexOf(last) + 1 }, (_, index) => ({
    fromMs: first.fromMs * width ** index,
    toMs: first.fromMs * width ** (index + 1),
    edge: edgeShares.get(index) ?? 0,
    node: nodeShares.get(index) ?? 0,
  }));
}

/** Round times for the axis, with their place in percent of its width: those of 1, 2 and 5 that have room for their labels. */
function ticks(fromMs: number, toMs: number): { ms: number; left: number }[] {
  const placed = Array.from({ length: 10 }, (_, index) => 10 ** (index - 3))
    .flatMap((decade) => [1, 2, 5].map((factor) => decade * factor))
    .map((ms) => ({ ms, left: (100 * Math.log(ms / fromMs)) / Math.log(toMs / fromMs) }))
    .filter(({ left }) => left >= labelHalf && left <= 100 - labelHalf);
  const shown: typeof placed = [];
  for (const tick of placed) {
    if (tick.left - (shown.at(-1)?.left ?? -100) >= 2 * labelHalf) shown.push(tick);
  }
  return shown;
}

function tickLabel(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1_000)} µs`;
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`;
}
