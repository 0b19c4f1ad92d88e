import type { ClockSkew } from "#measurements/runtime-comparison.ts";

import { formatCount, formatMs } from "../../format.ts";
import { Panel, ScrollBox } from "../panel.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";

const clocks: Record<string, string> = {
  "edge-consumer": "Edge → consumer",
  "nodejs-consumer": "Node → consumer",
  "meta-consumer": "Meta → consumer",
};

/** How far clocks of two machines are apart, as far as a measurement shows it that ended before it began. */
export function ClockSkews({ skews }: { skews: readonly ClockSkew[] }) {
  if (skews.length === 0) return null;
  return (
    <Panel id="skew" title="Clock skew">
      <p className={text["lead"]}>
        A queue wait and an end-to-end time begin on one machine’s clock and end on another’s. Where the end was before
        the start, the clocks differ by at least so much; no stage above counts those measurements.
      </p>
      <ScrollBox label="Clock skew">
        <table className={tables["table"]}>
          <caption>Differences between clocks, by pair</caption>
          <thead>
            <tr>
              <th scope="col">From, to</th>
              {["Negative", "Of", "Median", "99 % within"].map((name) => (
                <th key={name} scope="col" data-numeric>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {skews.map(({ pair, negative, count, medianMs, p99Ms }) => (
              <tr key={pair}>
                <th scope="row">{clocks[pair] ?? pair}</th>
                <td data-numeric>{formatCount(negative)}</td>
                <td data-numeric>{formatCount(count)}</td>
                <td data-numeric>{formatMs(medianMs)}</td>
                <td data-numeric>{formatMs(p99Ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </Panel>
  );
}
