import type { RuntimeSummary } from "#measurements/runtime-comparison.ts";

import { formatAxisTime, formatCount, formatMs } from "../../format.ts";
import styles from "./status.module.css";

/** Props of the small charts, which are drawn on the server and need no script. */
export interface SmallChartProps {
  name: string;
  traffic: readonly RuntimeSummary[];
  zone: string;
  /** The end of the last interval. */
  toMs: number;
}

const height = 48;

/** Deliveries in each interval, the edge's below Node's. A bar leads to its deliveries. */
export function SmallBars({ traffic, ...props }: SmallChartProps) {
  const series = traffic.map(({ series: points }) => points);
  const starts = series[0] ?? [];
  const sums = starts.map((_, index) => series.reduce((sum, points) => sum + (points[index]?.count ?? 0), 0));
  const most = Math.max(1, ...sums);
  const scale = (count: number) => (count / most) * height;
  const end = (index: number) => starts[index + 1]?.at ?? new Date(props.toMs).toISOString();
  return (
    <Chart {...props} starts={starts} top={formatCount(Math.max(0, ...sums))}>
      {starts.map(({ at }, index) => {
        let below = 0;
        return (
          // By pointer only: the table below has the same by keyboard, without a stop for each bar.
          <a key={at} href={`/dashboard/deliveries?${new URLSearchParams({ from: at, to: end(index) })}`} tabIndex={-1}>
            <rect className={styles["hit"]} x={index} width="1" height={height} />
            {traffic.map(({ runtime, series: points }) => {
              const size = scale(points[index]?.count ?? 0);
              below += size;
              return (
                <rect
                  key={runtime}
                  data-runtime={runtime}
                  x={index + 0.1}
                  width="0.8"
                  y={height - below}
                  height={size}
                />
              );
            })}
          </a>
        );
      })}
    </Chart>
  );
}

/** A percentile of the ack over time, the edge solid and Node dashed. */
export function SmallLines({ traffic, ...props }: SmallChartProps) {
  const starts = traffic[0]?.series ?? [];
  const most = Math.max(0, ...traffic.flatMap(({ series }) => series.map(({ ackP95 }) => ackP95 ?? 0)));
  const at = (ms: number) => height - (most === 0 ? 0 : (ms / most) * (height - 4));
  return (
    <Chart {...props} starts={starts} top={most === 0 ? "–" : formatMs(most)}>
      {traffic.map(({ runtime, series }) => (
        <path
          key={runtime}
          data-runtime={runtime}
          d={series
            .map(({ ackP95 }, x) =>
              ackP95 === null ? "" : `${startsLine(series, x) ? "M" : "L"}${x + 0.5},${at(ackP95)}h0`,
            )
            .join("")}
        />
      ))}
    </Chart>
  );
}

/** A line begins anew after an interval without a measurement. */
function startsLine(series: RuntimeSummary["series"], index: number): boolean {
  return (series[index - 1]?.ackP95 ?? null) === null;
}

interface ChartProps extends Omit<SmallChartProps, "traffic"> {
  starts: RuntimeSummary["series"];
  /** The largest value. */
  top: string;
  children: React.ReactNode;
}

function Chart({ name, starts, zone, toMs, top, children }: ChartProps) {
  const first = starts[0]?.at ?? new Date(toMs).toISOString();
  const label = (iso: string) => formatAxisTime(iso, toMs - Date.parse(first), zone);
  return (
    <figure className={styles["chart"]}>
      <figcaption>
        <strong>{name}</strong> <span>at most {top}</span>
      </figcaption>
      <svg viewBox={`0 0 ${Math.max(1, starts.length)} ${height}`} preserveAspectRatio="none" aria-hidden="true">
        {children}
      </svg>
      <div className={styles["axis"]}>
        <span>{label(first)}</span>
        <span>
          {label(new Date(toMs).toISOString())} {zone}
        </span>
      </div>
    </figure>
  );
}
