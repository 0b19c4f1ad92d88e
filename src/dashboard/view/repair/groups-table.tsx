import Link from "next/link";

import { groupCause, groupCount, groupName, isExpiring } from "../../repair/describe-group.ts";
import { formatIn } from "../../format.ts";
import type { DeadLetterGroup } from "../../repair/read-dead-letter-groups.ts";
import { ScrollBox } from "../panel.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";
import { Timestamp } from "../timestamp.tsx";
import { GroupState } from "./group-state.tsx";
import styles from "./groups-table.module.css";

/** Props of `GroupsTable`. */
export interface GroupsTableProps {
  groups: readonly DeadLetterGroup[];
  nowMs: number;
}

/** One page of groups; each leads to its own page. */
export function GroupsTable({ groups, nowMs }: GroupsTableProps) {
  const hasCopies = groups.some(({ expiresAt }) => expiresAt !== null);
  return (
    <ScrollBox label="Groups of dead letters">
      <table className={tables["table"]}>
        <caption>Groups of dead letters, what needs a person first</caption>
        <thead>
          <tr>
            <th scope="col">What failed</th>
            <th scope="col" data-numeric>
              Unresolved
            </th>
            <th scope="col">State</th>
            <th scope="col" data-numeric>
              All
            </th>
            <th scope="col">Last</th>
            <th scope="col">First</th>
            <th scope="col">Deployment</th>
            {hasCopies && <th scope="col">QStash’s copies end</th>}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <Row key={group.id} {...{ group, hasCopies, nowMs }} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function Row({ group, hasCopies, nowMs }: { group: DeadLetterGroup; hasCopies: boolean; nowMs: number }) {
  const { id, open, count, lastAt, firstAt, firstDeployment, expiresAt } = group;
  return (
    <tr>
      <th scope="row" className={`${tables["sentence"]} ${styles["what"]}`}>
        <Link href={`/dashboard/dead-letters/${id}`} prefetch={false}>
          {groupName(group)}
        </Link>
        <span className={tables["meaning"]}>{groupCause(group)}</span>
      </th>
      <td data-numeric data-tone={open > 0 && group.state === "open" ? "bad" : undefined}>
        {groupCount(group, open)}
      </td>
      <td>
        <GroupState group={group} />
      </td>
      <td data-numeric>{groupCount(group, count)}</td>
      <td data-numeric="start">
        <Timestamp iso={lastAt} nowMs={nowMs} />
      </td>
      <td data-numeric="start">
        <Timestamp iso={firstAt} nowMs={nowMs} />
      </td>
      <td className={text["mono"]}>{firstDeployment ?? "–"}</td>
      {hasCopies && (
        <td data-tone={isExpiring(group, nowMs) ? "bad" : undefined}>
          {expiresAt === null || open === 0 ? "–" : <span title={expiresAt}>{expiryWords(expiresAt, nowMs)}</span>}
        </td>
      )}
    </tr>
  );
}

function expiryWords(expiresAt: string, nowMs: number): string {
  return Date.parse(expiresAt) <= nowMs ? "ended" : formatIn(expiresAt, nowMs);
}
