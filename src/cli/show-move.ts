import type { Clock } from "#platform/clock.ts";
import type { MoveProgress } from "#store/move/move-store.ts";

import { seconds } from "./terminal.ts";

export interface ShowMoveOptions {
  clock: Clock;
  /** Prints a line. */
  note: (text: string) => void;
  /** On a terminal: replaces the line of progress; an empty text removes it. */
  showProgress: (text: string) => void;
}

/** Between two lines of progress in a log. */
const noteEveryMs = 10_000;

/** Shows how far a move of an earlier release's rows is: table, rows, and rows a second in this run. */
export function showMove({ clock, note, showProgress }: ShowMoveOptions): (progress: MoveProgress) => void {
  let current: { table: string; startedMs: number; notedMs: number; rowsBefore: number } | undefined;
  return ({ table, rows, rowsExpected, done }) => {
    const nowMs = clock.monotonicMs();
    if (current?.table !== table) current = { table, startedMs: nowMs, notedMs: nowMs, rowsBefore: rows };
    const { startedMs, rowsBefore } = current;
    const perSecond = Math.round(((rows - rowsBefore) * 1_000) / Math.max(1, nowMs - startedMs));
    const rate = perSecond > 0 ? `, ${count(perSecond)} a second` : "";
    if (done) {
      showProgress("");
      note(`Moved ${table}: ${count(rows)} rows in ${seconds(nowMs - startedMs)}${rate}`);
      return;
    }
    const expected = rowsExpected > rows ? ` of about ${count(rowsExpected)}` : "";
    const text = `Moving ${table}: ${count(rows)}${expected}${rate}`;
    showProgress(text);
    if (nowMs - current.notedMs < noteEveryMs) return;
    current.notedMs = nowMs;
    note(text);
  };
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
