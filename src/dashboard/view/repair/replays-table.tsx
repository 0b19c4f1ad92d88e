import Link from "next/link";

import type { DescribedReplay } from "#operations/describe-replay.ts";

import { setWords } from "../../repair/describe-run.ts";
import { formatCount, formatMs } from "../../format.ts";
import { ScrollBox } from "../panel.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";
import { Timestamp } from "../timestamp.tsx";
import { ReplayState } from "./replay-state.tsx";

/** One page of replays; each leads to its own page. */
export function ReplaysTable({ replays, nowMs }: { replays: readonly DescribedReplay[]; nowMs: number }) {
  return (
    <ScrollBox label="Replays">
      <table className={tables["table"]}>
        <caption>Replays, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">Reason</th>
            <th scope="col">State</th>
            <th scope="col">Takes</th>
            <th scope="col" data-numeric>
              Done
            </th>
            <th scope="col" data-numeric>
              Failed
            </th>
            <th scope="col" data-numeric>
              Skipped
            </th>
            <th scope="col">Planned</th>
            <th scope="col">By</th>
            <th scope="col">Ran for</th>
          </tr>
        </thead>
        <tbody>
          {replays.map((replay) => (
            <tr key={replay.id}>
              <th scope="row" className={tables["sentence"]}>
                <Link href={`/dashboard/replays/${replay.id}`} prefetch={false}>
                  {replay.reason}
                </Link>
                <span className={tables["meaning"]}>{replay.id}</span>
              </th>
              <td>
                <ReplayState replay={replay} nowMs={nowMs} />
              </td>
              <td>
                {setWords(replay)}
                <span className={tables["meaning"]}>{replay.mode}</span>
              </td>
              <td data-numeric>{formatCount(replay.done)}</td>
              <td data-numeric data-tone={replay.failed > 0 ? "bad" : undefined}>
                {formatCount(replay.failed)}
              </td>
              <td data-numeric>{formatCount(replay.skipped)}</td>
              <td data-numeric="start">
                <Timestamp iso={replay.createdAt} nowMs={nowMs} />
              </td>
              <td className={text["mono"]}>{replay.actor}</td>
              <td>{ranFor(replay, nowMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function ranFor({ startedAt, finishedAt }: DescribedReplay, nowMs: number): string {
  if (startedAt === null) return "–";
  return formatMs((finishedAt === null ? nowMs : Date.parse(finishedAt)) - Date.parse(startedAt));
}
