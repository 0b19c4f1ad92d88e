import { EventEmitter } from "node:events";

import { expect, test } from "vitest";

import { logUncaught } from "#ingestion/log-uncaught.ts";

import { createRecordingLog } from "../support/recording-log.ts";

const nextListener = Symbol.for("next.unhandledRejectionListener");

test("an error that nobody awaits is logged by name and frames, once, and Next prints nothing of it", () => {
  const { log, lines } = createRecordingLog();
  const printed: unknown[] = [];
  const next = (reason: unknown) => void printed.push(reason);
  const shared = { [nextListener]: next };
  const source = Object.assign(new EventEmitter(), {
    capture: (_thrown: unknown) => {},
    setUncaughtExceptionCaptureCallback(callback: (thrown: unknown) => void) {
      source.capture = callback;
    },
  });
  source.on("unhandledRejection", next);
  logUncaught(source, shared, log);
  // A further copy of Next registers the listener that it finds.
  expect(source.listeners("unhandledRejection")).toEqual([shared[nextListener]]);
  source.emit("unhandledRejection", Object.assign(new TypeError("the customer's words"), { code: "crm_down" }));
  source.capture(new Error("the customer's words"));
  source.capture(null);
  expect(printed).toEqual([]);
  expect(lines).toMatchObject([
    { event: "process.uncaught", level: "error", kind: "rejection", cause: "TypeError", causeCode: "crm_down" },
    { event: "process.uncaught", level: "error", kind: "exception", cause: "Error" },
    { event: "process.uncaught", level: "error", kind: "exception", cause: "null" },
  ]);
  expect(lines[0]?.["frames"]).toContainEqual(expect.stringMatching(/log-uncaught\.test\.ts:\d+:\d+/));
  expect(JSON.stringify(lines)).not.toContain("customer");
});
