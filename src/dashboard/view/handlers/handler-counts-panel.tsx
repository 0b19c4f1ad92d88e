import { formatCount } from "../../format.ts";
import type { HandlerCount } from "../../handlers/read-handler-counts.ts";
import tables from "../table.module.css";
import text from "../text.module.css";
import { Panel } from "../panel.tsx";

/** The totals that handlers have counted. */
export function HandlerCountsPanel({ counts }: { counts: readonly HandlerCount[] }) {
  return (
    <Panel id="counts" title="Handler counts">
      {counts.length === 0 ? (
        <p className={text["nothing"]}>No handler has counted anything yet.</p>
      ) : (
        <table className={tables["table"]}>
          <caption>Totals that the handlers have counted since the first event</caption>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col" data-numeric>
                Count
              </th>
            </tr>
          </thead>
          <tbody>
            {counts.map(({ name, count }) => (
              <tr key={name}>
                <th scope="row" className={text["mono"]}>
                  {name}
                </th>
                <td data-numeric>{formatCount(count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
