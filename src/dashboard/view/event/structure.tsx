import Link from "next/link";

import { compareStructure } from "../../events/compare-structure.ts";
import { showUnseen } from "../../events/payload-tree.ts";
import type { GoodEvent } from "../../events/read-last-good-event.ts";
import { Panel, ScrollBox } from "../panel.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";

/** Props of `Structure`. */
export interface StructureProps {
  payload: string;
  lastGood: GoodEvent;
}

/** How the payload differs from that of the last event of its kind that was handled: fields and types, no values. */
export function Structure({ payload, lastGood }: StructureProps) {
  const { added, removed, changed } = compareStructure(JSON.parse(payload), JSON.parse(lastGood.payload));
  const rows = [
    ...added.map((path) => ["only here", path]),
    ...removed.map((path) => ["only there", path]),
    ...changed.map(({ path, from, to }) => [
      "another type",
      `${path === "" ? "the whole" : path}: ${to} here, ${from} there`,
    ]),
  ];
  return (
    <Panel
      id="structure"
      title="Difference from the last good event of its kind"
      aside={
        <Link href={`/dashboard/events/${lastGood.id}`} prefetch={false}>
          Event {lastGood.id}
        </Link>
      }
    >
      {rows.length === 0 ? (
        <p className={text["nothing"]}>Both have the same fields, of the same types. Values are not compared.</p>
      ) : (
        <ScrollBox label="Difference">
          <table className={tables["table"]}>
            <caption>Fields and types that differ; values are not compared</caption>
            <thead>
              <tr>
                <th scope="col">Difference</th>
                <th scope="col">Field</th>
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, shownMax).map(([what, path = ""]) => (
                <tr key={`${what} ${path}`}>
                  <td>{what}</td>
                  <td className={`${text["mono"]} ${tables["sentence"]}`}>{showUnseen(path)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
      {rows.length > shownMax && <p className={text["note"]}>{rows.length - shownMax} further differences.</p>}
    </Panel>
  );
}

const shownMax = 100;
