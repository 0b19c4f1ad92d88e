import type { HistogramBar } from "#measurements/histogram.ts";

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

/** The distribution on both runtimes over one logarithmic axis: the edge's upwards, Node's downwards. */
export function Histogram({ name, edge, node }: HistogramProps) {
  const bins = binsOf(edge, node);
  const first = bins[0];
  const last = bins.at(-1);
  if (first === undefined || last === undefined) return null;
  const tallest = Math.max(...bins.map((bin) => Math.max(bin.edge, bin.node)));
  const span = Math.log(last.toMs / first.fromMs);
  const left = (ms: number) => (100 * Math.log(ms / first.fromMs)) / span;
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
        {ticks(first.fromMs, last.toMs).map((ms) => (
          <span key={ms} className={styles["tick"]} style={{ left: `${left(ms)}%` }}>
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

/** Round times for the axis, at most six: powers of ten, or 1, 2 and 5 times those where it spans few. */
function ticks(fromMs: number, toMs: number): number[] {
  const decades = Array.from({ length: 10 }, (_, index) => 10 ** (index - 3));
  const candidates = [[1, 2, 5], [1, 3], [1]].map((factors) =>
    decades.flatMap((decade) => factors.map((factor) => decade * factor)).filter((ms) => ms >= fromMs && ms <= toMs),
  );
  return candidates.find((found) => found.length <= 6) ?? candidates.at(-1) ?? [];
}

function tickLabel(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1_000)} µs`;
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`;
}
