import Link from "next/link";

import { formatCount } from "../../format.ts";
import { eventsHref } from "../../lists/list-hrefs.ts";
import { showUnseen } from "../../events/payload-tree.ts";
import type { DriftItem } from "../../events/read-drift.ts";
import { KindBadge } from "../badges.tsx";
import { ScrollBox } from "../panel.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";
import { Timestamp } from "../timestamp.tsx";

const findings: Record<string, string> = {
  unknown_field: "a field that the schema has not",
  unknown_word: "a word that the schema has not",
  unknown_kind: "a kind of item that is not known",
  mismatch: "not of its type, or missing",
};

/** The differences by kind and path; each leads to its events. */
export function DriftTable({ drift, nowMs }: { drift: readonly DriftItem[]; nowMs: number }) {
  return (
    <ScrollBox label="Differences">
      <table className={tables["table"]}>
        <caption>Differences from the schemas, the last seen first</caption>
        <thead>
          <tr>
            <th scope="col">Kind</th>
            <th scope="col">Path</th>
            <th scope="col">Difference</th>
            <th scope="col">Sent</th>
            <th scope="col" data-numeric>
              Events
            </th>
            <th scope="col">First seen</th>
            <th scope="col">Last seen</th>
            <th scope="col">Example</th>
          </tr>
        </thead>
        <tbody>
          {drift.map(({ kind, path, finding, shape, count, firstSeen, lastSeen, eventId }) => (
            <tr key={`${kind} ${path} ${finding} ${shape}`}>
              <td>
                <Link
                  href={eventsHref({ kind, ...(finding === "mismatch" ? { drifted: "true" } : {}) })}
                  prefetch={false}
                >
                  <KindBadge kind={kind} />
                </Link>
              </td>
              <th scope="row" className={`${text["mono"]} ${tables["sentence"]}`}>
                {showUnseen(path)}
              </th>
              <td>{findings[finding] ?? finding}</td>
              <td className={text["mono"]}>{shape}</td>
              <td data-numeric>{formatCount(count)}</td>
              <td data-numeric="start">
                <Timestamp iso={firstSeen} nowMs={nowMs} />
              </td>
              <td data-numeric="start">
                <Timestamp iso={lastSeen} nowMs={nowMs} />
              </td>
              <td>
                <Link href={`/dashboard/events/${eventId}`} prefetch={false}>
                  Event {eventId}
                </Link>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
