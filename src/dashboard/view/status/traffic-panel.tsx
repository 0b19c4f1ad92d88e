import Link from "next/link";

import type { RuntimeSummary, WindowName } from "#measurements/runtime-comparison.ts";

import { formatCount, formatMs, formatShare } from "../../format.ts";
import { everything, runtimesHref } from "../../runtimes/runtimes-query.ts";
import { Panel, ScrollBox } from "../panel.tsx";
import { RuntimeMark } from "../runtime-mark.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";
import { windowLabel, WindowSelector } from "../window-selector.tsx";
import { SmallBars, SmallLines } from "./small-charts.tsx";
import styles from "./status.module.css";

/** Props of `TrafficPanel`. */
export interface TrafficPanelProps {
  traffic: readonly RuntimeSummary[];
  window: WindowName;
  zone: string;
  nowMs: number;
}

/** How much arrived and how fast it was acknowledged, by runtime. */
export function TrafficPanel({ traffic, window, zone, nowMs }: TrafficPanelProps) {
  const chart = { traffic, zone, toMs: nowMs };
  return (
    <Panel
      id="traffic"
      title="Traffic and latency"
      aside={<WindowSelector current={window} hrefOf={(name) => `/dashboard?window=${name}`} />}
    >
      <div className={styles["charts"]}>
        <SmallBars {...chart} name={`Deliveries in ${windowLabel(window)}`} />
        <SmallLines {...chart} name="Ack p95" />
      </div>
      <ScrollBox label="Traffic and latency">
        <table className={tables["table"]}>
          <caption>Deliveries in {windowLabel(window)} by runtime; a dash means that nothing was measured</caption>
          <thead>
            <tr>
              <th scope="col">Runtime</th>
              {["Deliveries", "Events", "Published", "Fallback", "Ack p50", "Ack p95", "Ack p99", "Within 1 s"].map(
                (name) => (
                  <th key={name} scope="col" data-numeric>
                    {name}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {traffic.map((summary) => (
              <Row key={summary.runtime} summary={summary} />
            ))}
          </tbody>
        </table>
      </ScrollBox>
      <p className={text["more"]}>
        <Link href={runtimesHref({ ...everything, window })} prefetch={false}>
          Compare edge and Node
        </Link>
      </p>
    </Panel>
  );
}

function Row({ summary }: { summary: RuntimeSummary }) {
  const { runtime, deliveries, events, publishSuccessRate, fallback, ackMs, ackWithin } = summary;
  return (
    <tr>
      <th scope="row">
        <Link href={`/dashboard/deliveries?runtime=${runtime}`} prefetch={false}>
          <RuntimeMark runtime={runtime} />
        </Link>
      </th>
      <td data-numeric>{formatCount(deliveries)}</td>
      <td data-numeric>{formatCount(events)}</td>
      <td data-numeric>{formatShare(publishSuccessRate)}</td>
      <td data-numeric>{formatCount(fallback)}</td>
      <td data-numeric>{formatMs(ackMs?.p50)}</td>
      <td data-numeric>{formatMs(ackMs?.p95)}</td>
      <td data-numeric>{formatMs(ackMs?.p99)}</td>
      <td data-numeric>{formatShare(ackWithin?.ms1000 ?? null)}</td>
    </tr>
  );
}
