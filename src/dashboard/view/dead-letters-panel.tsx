import { formatCount } from "../format.ts";
import type { DeadLetterGroup } from "../read-dead-letter-groups.ts";
import tables from "./table.module.css";
import text from "./text.module.css";
import { Panel, ScrollBox } from "./panel.tsx";
import { Timestamp } from "./timestamp.tsx";

/** What was given up, by its cause. */
export function DeadLettersPanel({ groups, nowMs }: { groups: readonly DeadLetterGroup[]; nowMs: number }) {
  return (
    <Panel id="dead-letters" title="Dead letters">
      {groups.length === 0 ? (
        <p className={text["nothing"]}>There are no dead letters.</p>
      ) : (
        <ScrollBox label="Dead letters">
          <table className={tables["table"]}>
            <caption>Dead letters by cause, the last to recur first; times in UTC</caption>
            <thead>
              <tr>
                <th scope="col">Cause</th>
                <th scope="col">Kind</th>
                <th scope="col">State</th>
                <th scope="col" data-numeric>
                  Open
                </th>
                <th scope="col" data-numeric>
                  All
                </th>
                <th scope="col">Last</th>
              </tr>
            </thead>
            <tbody>
              {groups.map((group) => (
                <tr key={group.id}>
                  <th scope="row" className={tables["sentence"]}>
                    {describeCause(group)}
                  </th>
                  <td className={text["mono"]}>{group.kind ?? "–"}</td>
                  <td>{group.regressedAt === null ? group.state : `${group.state}, recurred`}</td>
                  <td data-numeric>{formatCount(group.open)}</td>
                  <td data-numeric>{formatCount(group.count)}</td>
                  <td data-numeric="start">
                    <Timestamp iso={group.lastAt} nowMs={nowMs} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
    </Panel>
  );
}

function describeCause({ cause, errorName, errorCode }: DeadLetterGroup): string {
  return [cause, errorName, errorCode].filter((part) => part !== null).join(" · ");
}
