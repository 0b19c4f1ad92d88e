import { formatCount } from "../../format.ts";
import type { RefusalTotal } from "../../status/read-refusals.ts";
import { explainReason } from "../../status/refusal-reasons.ts";
import { RuntimeMark } from "../runtime-mark.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";
import { Panel, ScrollBox } from "../panel.tsx";
import { Timestamp } from "../timestamp.tsx";

/** Refusals by reason and runtime, since when and until when, and what to do for each reason. Refused bodies are not stored. */
export function RefusalsPanel({ refusals, nowMs }: { refusals: readonly RefusalTotal[]; nowMs: number }) {
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
          <caption>Refused deliveries of the last 24 hours, the most frequent reason first; times in UTC</caption>
          <thead>
            <tr>
              <th scope="col">Reason</th>
              <th scope="col">Runtime</th>
              <th scope="col" data-numeric>
                Count
              </th>
              <th scope="col">First</th>
              <th scope="col">Last</th>
            </tr>
          </thead>
          <tbody>
            {refusals.map(({ runtime, reason, count, since, until }) => (
              <tr key={`${reason} ${runtime}`}>
                <td className={text["mono"]}>{reason}</td>
                <td>
                  <RuntimeMark runtime={runtime} />
                </td>
                <td data-numeric>{formatCount(count)}</td>
                <td data-numeric="start">
                  <Timestamp iso={since} nowMs={nowMs} />
                </td>
                <td data-numeric="start">
                  <Timestamp iso={until} nowMs={nowMs} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </Panel>
  );
}
