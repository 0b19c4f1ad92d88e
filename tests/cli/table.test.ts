import { expect, test } from "vitest";

import { inZone } from "#cli/in-zone.ts";
import { instantOf } from "#cli/list-options.ts";
import { drawTable, showCell } from "#cli/table.ts";
import { createPaint, widthOf } from "#cli/terminal.ts";

const paint = (_style: string, text: string) => text;
const head = ["Event", "Delivery", "What happened"];
const id = "01a216e0-b550-70f0-ab50-ef9eee662986";
const rows = [
  [7, id, "The handler threw 🎉 an error of the database"],
  [12_345, id, "漢字 are two columns wide"],
];

test("a table without a terminal is as wide as its cells", () => {
  const lines = drawTable(head, rows, paint).split("\n");
  expect(lines[1]).toBe(`7     │ ${id} │ The handler threw 🎉 an error of the database`);
  expect(lines[2]).toBe(`12345 │ ${id} │ 漢字 are two columns wide`);
});

test("a table fits into its terminal: sentences are cut before ids, and where both do not suffice each row is a block", () => {
  const at = (width: number) => drawTable(head, rows, paint, { width }).split("\n");
  expect(at(70)[1]).toBe(`7     │ ${id} │ The handler threw 🎉 a…`);
  expect(at(70)[2]).toBe(`12345 │ ${id} │ 漢字 are two columns w…`);
  for (const line of at(40)) expect(line.length).toBeLessThanOrEqual(40);
  expect(at(20)[1]).toBe(`  Delivery       ${id}`);
  expect(at(20)).toHaveLength(7);
});

test("a cell shows no control characters, and a time in the zone with its offset", () => {
  expect(showCell("a\u001b[2J\u202e\nb")).toBe("a\u{FFFD}[2J\u{FFFD}\u{FFFD}b");
  expect(showCell(null)).toBe("–");
  const at = "2026-07-31T22:30:00.125Z";
  expect(showCell(at, "Europe/Berlin")).toBe("2026-08-01T00:30:00.125+02:00");
  expect(inZone(at, "America/St_Johns")).toBe("2026-07-31T20:00:00.125-02:30");
  expect(Date.parse(inZone(at, "Asia/Kolkata"))).toBe(Date.parse(at));
  expect(inZone("2026", "Asia/Kolkata")).toBe("2026");
});

test("a time is given as such or as how long ago it is", () => {
  const nowMs = Date.parse("2026-01-31T12:00:00Z");
  expect(instantOf("90m", nowMs)).toBe("2026-01-31T10:30:00.000Z");
  expect(instantOf("2026-01-31T12:00:00+01:00", nowMs)).toBe("2026-01-31T11:00:00.000Z");
  for (const wrong of ["yesterday", "5", "2026-02-31T99:00:00Z", "1y"])
    expect(() => instantOf(wrong, nowMs)).toThrow("7d");
});

test("colours and width obey NO_COLOR, FORCE_COLOR, TERM and COLUMNS", () => {
  const painted = (env: Record<string, string>, isTTY: boolean) => createPaint(env, { isTTY })("red", "x") !== "x";
  expect([painted({}, true), painted({}, false), painted({ TERM: "dumb" }, true)]).toEqual([true, false, false]);
  expect([painted({ NO_COLOR: "1", FORCE_COLOR: "1" }, true), painted({ FORCE_COLOR: "1" }, false)]).toEqual([
    false,
    true,
  ]);
  expect([widthOf({}, { columns: 80 }), widthOf({ COLUMNS: "100" }, { columns: 80 }), widthOf({}, {})]).toEqual([
    80,
    100,
    Number.POSITIVE_INFINITY,
  ]);
});
