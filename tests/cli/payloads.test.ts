import { expect, test } from "vitest";

import { buildPayload, payloadKinds } from "#cli/payloads.ts";
import { setPath } from "#cli/set-path.ts";
import { eventKinds } from "#instagram/events.ts";
import { parseWebhook } from "#instagram/webhook-parser.ts";

const parse = (payload: unknown) =>
  parseWebhook(new TextEncoder().encode(JSON.stringify(payload)), { deliveryId: "dlv_test" });

test("every kind but unknown can be triggered", () => {
  expect([...payloadKinds, "unknown"]).toEqual(eventKinds);
});

test.each(payloadKinds)("%s is taken for what it is, and for a new event each time", async (kind) => {
  const nowMs = Date.UTC(2026, 0, 31);
  const [first] = await parse(buildPayload(kind, nowMs));
  const [second] = await parse(buildPayload(kind, nowMs + 1));
  expect(first).toMatchObject({ kind, accountId: "17841400000000001", standby: false, test: false });
  expect(second?.key).not.toBe(first?.key);
});

test("--set replaces a value and keeps strings strings", () => {
  const payload = { entry: [{ id: "1", time: 5, messaging: [{ message: { text: "a" } }] }] };
  for (const assignment of [
    "entry.0.id=42",
    "entry.0.time=7",
    "entry.0.messaging.0.message.text=a=b",
    "entry.0.new=[true]",
  ]) {
    setPath(payload, assignment);
  }
  expect(payload).toEqual({ entry: [{ id: "42", time: 7, messaging: [{ message: { text: "a=b" } }], new: [true] }] });
});

test.each(["no-value", "entry.5.id=1", "entry.0.__proto__.x=1", "__proto__=1", "entry.0.id.deeper=1"])(
  "--set %s is one sentence",
  (assignment) => {
    expect(() => setPath({ entry: [{ id: "1" }] }, assignment)).toThrow(/^--set /);
  },
);
