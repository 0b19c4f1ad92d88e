import Link from "next/link";

import type { AuditItem } from "../../access/read-audit.ts";
import { ScrollBox } from "../panel.tsx";
import tables from "../table.module.css";
import { Timestamp } from "../timestamp.tsx";

/** Props of `AuditTable`. */
export interface AuditTableProps {
  audit: readonly AuditItem[];
  nowMs: number;
}

/** One page of the audit. */
export function AuditTable({ audit, nowMs }: AuditTableProps) {
  return (
    <ScrollBox label="Audit">
      <table className={tables["table"]}>
        <caption>Changes, newest first; a dash means that there is none</caption>
        <thead>
          <tr>
            {["When", "Who", "Action", "Result", "Target", "Asked for, and why"].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {audit.map((row) => (
            <tr key={row.id}>
              <td data-numeric="start">
                <Timestamp iso={row.at} nowMs={nowMs} />
              </td>
              <th scope="row">
                {row.actor}
                <span className={tables["meaning"]}>
                  {row.via}, {row.address}
                </span>
              </th>
              <td>{row.action}</td>
              <td data-tone={row.result === "ok" || row.result === "started" ? undefined : "bad"}>{row.result}</td>
              <td className={tables["sentence"]}>
                <Target {...row} />
              </td>
              <td className={tables["sentence"]}>
                <Asked {...row} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

/** Where the page of a target is, by the beginning of its action. */
const pagesOf: readonly (readonly [action: string, path: string])[] = [
  ["dead-letters.", "/dashboard/dead-letters/"],
  ["replay.", "/dashboard/replays/"],
  ["test-delivery.", "/dashboard/deliveries/"],
];

function Target({ action, target }: AuditItem) {
  if (target === null) return "–";
  const page = pagesOf.find(([begin]) => action.startsWith(begin));
  if (page === undefined) return target;
  return (
    <Link href={`${page[1]}${encodeURIComponent(target)}`} prefetch={false}>
      {target}
    </Link>
  );
}

function Asked({ filter, reason }: AuditItem) {
  if (filter === null && reason === null) return "–";
  return (
    <>
      {reason}
      {filter !== null && <span className={tables["meaning"]}>{describe(filter)}</span>}
    </>
  );
}

/** The members of the filter as a line: `kind comment, state dead`. */
function describe(filter: unknown): string {
  if (typeof filter !== "object" || filter === null) return String(filter);
  if (Array.isArray(filter)) return filter.map(describe).join(" ");
  return Object.entries(filter)
    .map(([name, value]) => (name === "filter" ? describe(value) : `${name} ${describe(value)}`))
    .join(", ");
}
