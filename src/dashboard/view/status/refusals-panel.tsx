import { formatCount } from "../../format.ts";
import type { RefusalItem } from "../../status/read-refusals.ts";
import { explainReason } from "../../status/refusal-reasons.ts";
import { RuntimeMark } from "../runtime-mark.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";
import { Panel, ScrollBox } from "../panel.tsx";
import { Timestamp } from "../timestamp.tsx";

/** The last refusals: when, by which runtime and why, and what to do for each reason. Refused bodies are not stored. */
export function RefusalsPanel({ refusals, nowMs }: { refusals: readonly RefusalItem[]; nowMs: number }) {
  const reasons = [...new Set(refusals.map(({ reason }) => reason))].map((name) => ({ name, ...explainReason(name) }));
  return (
    <Panel id="refusals" title="Refused deliveries">
      {reasons.map(({ name, what, advice }) => (
        <p key={name} className={text["lead"]}>
          <span className={text["mono"]}>{name}</span>: {what}. {advice}
        </p>
      ))}
      <ScrollBox label="Refused deliveries">
        <table className={tables["table"]}>
          <caption>The last hundred reports of refusals, newest first; times in UTC</caption>
          <thead>
            <tr>
              <th scope="col">Reported</th>
              <th scope="col">Runtime</th>
              <th scope="col">Reason</th>
              <th scope="col" data-numeric>
                Count
              </th>
            </tr>
          </thead>
          <tbody>
            {refusals.map(({ id, at, runtime, reason, count }) => (
              <tr key={id}>
                <td data-numeric="start">
                  <Timestamp iso={at} nowMs={nowMs} />
                </td>
                <td>
                  <RuntimeMark runtime={runtime} />
                </td>
                <td className={text["mono"]}>{reason}</td>
                <td data-numeric>{formatCount(count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </Panel>
  );
}
