import { expect, test } from "vitest";

import { createHandlerLog } from "#ingestion/handler-log.ts";

import { createRecordingLog } from "../support/recording-log.ts";

/** What the log writes of fields that the types do not allow. */
function write(fields: unknown): unknown {
  const { log, of } = createRecordingLog();
  createHandlerLog(log).warn("crm.sent", fields as Record<string, string>);
  return of("handler.log")[0]?.["fields"];
}

test.each<[string, unknown, unknown]>([
  ["short values", { a: "x", b: 1, c: true, d: null }, { a: "x", b: 1, c: true, d: null }],
  ["long text, cut", { a: "x".repeat(1_000) }, { a: `${"x".repeat(300)}…` }],
  ["objects, as their type", { a: new Error("customer"), b: { text: "customer" } }, { a: "[object]", b: "[object]" }],
  ["what JSON has no word for, as its type", { a: 1n, b: () => "customer" }, { a: "[bigint]", b: "[function]" }],
  ["names that are ours, apart from ours", { event: "x", time: 1 }, { event: "x", time: 1 }],
  ["nothing of what cannot be read", new Proxy({}, { ownKeys: () => expect.unreachable() }), {}],
  ["nothing of nothing", null, {}],
])("a handler's log writes %s", (_name, fields, written) => {
  expect(write(fields)).toEqual(written);
});

test("a handler's log accepts any name and keeps the level", () => {
  const { log, lines } = createRecordingLog();
  const handlerLog = createHandlerLog(log.with({ key: "k" }));
  handlerLog.info("handler.failed");
  handlerLog.error("x".repeat(1_000));
  expect(lines).toMatchObject([
    { level: "info", event: "handler.log", key: "k", name: "handler.failed", fields: {} },
    { level: "error", event: "handler.log", name: `${"x".repeat(100)}…` },
  ]);
});

test("a handler's log writes the first twenty fields", () => {
  const fields = Object.fromEntries(Array.from({ length: 99 }, (_, index) => [`f${index}`, index]));
  expect(Object.keys(write(fields) as object)).toEqual(Object.keys(fields).slice(0, 20));
});
