import { expect, test } from "vitest";

import { buildPayload, payloadKinds } from "#conformance/payloads.ts";
import { eventKinds } from "#instagram/events.ts";
import { parseWebhook } from "#instagram/webhook-parser.ts";

import { parseOptions } from "../support/parse-options.ts";

const parse = (payload: unknown) =>
  parseWebhook(new TextEncoder().encode(JSON.stringify(payload)), parseOptions("dlv_test"));

test("every kind but unknown has a payload", () => {
  expect([...payloadKinds, "unknown"]).toEqual(eventKinds);
});

test.each(payloadKinds)("%s is parsed as its kind, and has a new key each time", async (kind) => {
  const nowMs = Date.UTC(2026, 0, 31);
  const [first] = await parse(buildPayload(kind, nowMs));
  const [second] = await parse(buildPayload(kind, nowMs + 1));
  expect(first).toMatchObject({ kind, accountId: "17841400000000001", standby: false, test: false });
  expect(second?.key).not.toBe(first?.key);
});
