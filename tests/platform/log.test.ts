import { expect, test } from "vitest";

import { createLog, describeCause, logLevels } from "#platform/log.ts";

import { thrownBy } from "../support/thrown-by.ts";

test("a log writes one JSON line per event, with what was bound to it", () => {
  const lines: string[] = [];
  const log = createLog({ clock: { nowMs: () => 0 }, write: (level, line) => lines.push(`${level} ${line}`) });
  log.with({ deliveryId: "d1" }).warn("delivery.refused", { code: "X" });
  expect(lines).toEqual([
    'warn {"time":"1970-01-01T00:00:00.000Z","level":"warn","event":"delivery.refused","deliveryId":"d1","code":"X"}',
  ]);
});

test.each([
  ["debug", ["debug", "info", "warn", "error"]],
  [undefined, ["info", "warn", "error"]],
  ["info", ["info", "warn", "error"]],
  ["warn", ["warn", "error"]],
  ["error", ["error"]],
  // A mistake in the variable hides nothing.
  ["verbose", ["debug", "info", "warn", "error"]],
])("a log of level %s writes %j, also with what is bound to it", (level, expected) => {
  const written: string[] = [];
  const log = createLog({ clock: { nowMs: () => 0 }, level, write: (each) => written.push(each) }).with({ a: 1 });
  for (const each of logLevels) log[each]("delivery.received");
  expect(written).toEqual(expected);
});

test("a log cuts each text that a stranger may have made long, also in lists", () => {
  const lines: string[] = [];
  const log = createLog({ clock: { nowMs: () => 0 }, write: (_level, line) => lines.push(line) });
  const text = `\n${"x".repeat(15_000)}`;
  class Long extends Error {
    override name = text;
    code = text;
  }
  log
    .with({ deliveryId: text })
    .warn("delivery.refused", { path: text, keys: ["k", text], ...describeCause(new Long()) });
  expect(lines[0]?.length).toBeLessThan(2_000);
  const cut = `${text.slice(0, 300)}…`;
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    deliveryId: cut,
    path: cut,
    keys: ["k", cut],
    cause: cut,
    causeCode: cut,
  });
});

test("describeCause() names the causes of an error", () => {
  const system = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" });
  expect(describeCause(new TypeError("fetch failed", { cause: system }))).toEqual({
    cause: "TypeError < Error",
    causeCode: "ECONNREFUSED",
    causeMessage: "connect ECONNREFUSED 127.0.0.1:1",
  });
  expect(describeCause("text")).toEqual({ cause: "string" });
});

test.each([
  ["a JSON error", () => JSON.parse("the customer's words") as unknown],
  [
    "a database error",
    () => {
      throw Object.assign(new Error('invalid input syntax: "the customer\'s words"'), {
        severity: "ERROR",
        code: "22P02",
      });
    },
  ],
  [
    "a query error",
    () => {
      throw Object.assign(new Error("Failed query: insert … params: the customer's words"), { query: "insert" });
    },
  ],
])("describeCause() never repeats what %s quotes", (_name, fail) => {
  expect(JSON.stringify(describeCause(thrownBy(fail)))).not.toContain("customer");
});
