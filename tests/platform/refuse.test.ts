import { expect, test } from "vitest";

import { RelayError } from "#platform/errors.ts";
import { refuse } from "#platform/refuse.ts";

import { createRecordingLog } from "../support/recording-log.ts";

test("an expected error is a warning with its code and reason, and its response has the given headers", async () => {
  const { log, lines } = createRecordingLog();
  const error = new RelayError("REQUEST_INVALID", "No such field");
  const response = refuse(log, "reports.refused", error, {
    headers: { "x-delivery-id": "d1" },
    fields: { path: "/x" },
  });
  expect([response.status, response.headers.get("x-delivery-id")]).toEqual([400, "d1"]);
  expect(await response.json()).toEqual({ error: { code: "REQUEST_INVALID", message: "No such field" } });
  expect(lines).toMatchObject([
    { level: "warn", event: "reports.refused", path: "/x", code: "REQUEST_INVALID", reason: "No such field" },
  ]);
});

test("the log names what a refusal is counted by, if that is not its code", () => {
  const { log, lines } = createRecordingLog();
  refuse(log, "delivery.refused", new RelayError("SIGNATURE_INVALID", "No signature", { reason: "SIGNATURE_MISSING" }));
  refuse(log, "delivery.refused", new RelayError("SIGNATURE_INVALID", "Wrong signature"));
  expect(lines).toMatchObject([
    { code: "SIGNATURE_INVALID", refusal: "SIGNATURE_MISSING", reason: "No signature" },
    { code: "SIGNATURE_INVALID", reason: "Wrong signature" },
  ]);
  expect(JSON.stringify(lines[1])).not.toContain("refusal");
});

test("a bug is an error, whose cause the log names and the caller does not see", async () => {
  const { log, lines } = createRecordingLog();
  const response = refuse(log, "reports.refused", new TypeError("the customer's words"));
  expect(response.status).toBe(500);
  expect(await response.json()).toMatchObject({ error: { code: "INTERNAL" } });
  expect(lines).toMatchObject([{ level: "error", code: "INTERNAL", cause: "TypeError" }]);
  expect(JSON.stringify(lines)).not.toContain("customer");
});
