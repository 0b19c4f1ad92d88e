import { expect, test } from "vitest";

import { showMove } from "#cli/show-move.ts";

import { createManualClock } from "../support/manual-clock.ts";

test("a move shows its rows and its rate: each step on a terminal, a line every ten seconds in a log", async () => {
  const clock = createManualClock();
  const notes: string[] = [];
  const shown: string[] = [];
  const show = showMove({ clock, note: (text) => notes.push(text), showProgress: (text) => shown.push(text) });
  const table = "events" as const;
  show({ table, rows: 501_000, rowsExpected: 1_000_000, done: false });
  await clock.advance(4_000);
  show({ table, rows: 541_000, rowsExpected: 1_000_000, done: false });
  await clock.advance(6_000);
  show({ table, rows: 601_000, rowsExpected: 1_000_000, done: false });
  await clock.advance(1_000);
  show({ table, rows: 1_002_000, rowsExpected: 1_000_000, done: false });
  show({ table, rows: 1_002_000, rowsExpected: 1_000_000, done: true });
  show({ table: "deliveries", rows: 0, rowsExpected: 0, done: true });

  expect(shown).toEqual([
    "Moving events: 501,000 of about 1,000,000",
    "Moving events: 541,000 of about 1,000,000, 10,000 a second",
    "Moving events: 601,000 of about 1,000,000, 10,000 a second",
    "Moving events: 1,002,000, 45,545 a second",
    "",
    "",
  ]);
  expect(notes).toEqual([
    "Moving events: 601,000 of about 1,000,000, 10,000 a second",
    "Moved events: 1,002,000 rows in 11.0 s, 45,545 a second",
    "Moved deliveries: 0 rows in 0.0 s",
  ]);
});
