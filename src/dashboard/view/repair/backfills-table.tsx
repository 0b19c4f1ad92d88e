import { Badge } from "@mantine/core";

import type { DescribedBackfill } from "#operations/backfill/describe-backfill.ts";

import { formatCount } from "../../format.ts";
import styles from "../badges.module.css";
import { ScrollBox } from "../panel.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";
import { Timestamp } from "../timestamp.tsx";

const colors: Record<DescribedBackfill["state"], string> = {
  planned: "gray.6",
  running: "blue",
  waiting: "blue",
  stalled: "orange",
  stopped: "red",
  cancelled: "red",
  finished: "green",
};

/** The last backfills. They are planned, started and cancelled by the command. */
export function BackfillsTable({ backfills, nowMs }: { backfills: readonly DescribedBackfill[]; nowMs: number }) {
  return (
    <ScrollBox label="Backfills">
      <table className={tables["table"]}>
        <caption>The last backfills, which the command “relay backfill” plans and starts</caption>
        <thead>
          <tr>
            <th scope="col">Reason</th>
            <th scope="col">State</th>
            <th scope="col">From</th>
            <th scope="col">Until</th>
            <th scope="col" data-numeric>
              Found
            </th>
            <th scope="col" data-numeric>
              New
            </th>
            <th scope="col" data-numeric>
              Passed over
            </th>
            <th scope="col">By</th>
          </tr>
        </thead>
        <tbody>
          {backfills.map((backfill) => (
            <tr key={backfill.id}>
              <th scope="row" className={tables["sentence"]}>
                {backfill.reason}
                <span className={tables["meaning"]}>{backfill.id}</span>
              </th>
              <td className={tables["sentence"]}>
                <Badge
                  variant="dot"
                  color={colors[backfill.state]}
                  size="lg"
                  radius="sm"
                  tt="none"
                  fw={500}
                  className={styles["badge"]}
                >
                  {backfill.state}
                </Badge>
                {backfill.stoppedBecause !== null && (
                  <span className={tables["meaning"]}>{backfill.stoppedBecause}</span>
                )}
              </td>
              <td data-numeric="start">
                <Timestamp iso={backfill.from} nowMs={nowMs} />
              </td>
              <td data-numeric="start">
                <Timestamp iso={backfill.until} nowMs={nowMs} />
              </td>
              <td data-numeric>{countOf(backfill, "found")}</td>
              <td data-numeric>{countOf(backfill, "inserted")}</td>
              <td data-numeric>{countOf(backfill, "skipped")}</td>
              <td className={text["mono"]}>{backfill.actor}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

/** Nothing is counted before it begins: what the plan found is not what the backfill found. */
function countOf({ startedAt, ...counts }: DescribedBackfill, name: "found" | "inserted" | "skipped"): string {
  return formatCount(startedAt === null ? null : counts[name]);
}
