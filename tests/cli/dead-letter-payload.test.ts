import { expect, test } from "vitest";

import { toDeliveryBody } from "#cli/dead-letter-payload.ts";
import { buildPayload, payloadKinds } from "#conformance/payloads.ts";
import { parseWebhook } from "#instagram/webhook-parser.ts";

const parse = (body: Uint8Array) => parseWebhook(body, { deliveryId: "d1", onFailure: () => expect.unreachable() });
const toItem = ({ kind, accountId, sentAtMs, standby, data }: Awaited<ReturnType<typeof parse>>[number]) => ({
  kind,
  accountId,
  sentAtMs,
  standby,
  data,
});

test.each(payloadKinds)("a dead letter's %s is the same event when it is sent again", async (kind) => {
  const events = await parse(Buffer.from(JSON.stringify(buildPayload(kind, 1_700_000_000_000))));
  expect(await parse(toDeliveryBody(events.map(toItem)))).toEqual(events);
});

test.each([
  [
    "an unknown change",
    '{"object":"instagram","entry":[{"id":"1","time":1700000000,"changes":[{"field":"new","value":{"a":1}}]}]}',
  ],
  ["an unknown item", '{"object":"instagram","entry":[{"id":"1","time":1700000000,"messaging":[{"new":{"a":1}}]}]}'],
  [
    "a standby message",
    '{"object":"instagram","entry":[{"id":"1","time":1700000000,"standby":[{"sender":{"id":"2"},"message":{"mid":"m"}}]}]}',
  ],
  ["a body that is not JSON", "\u00ff no JSON"],
])("so is %s", async (_name, body) => {
  const events = await parse(Buffer.from(body));
  expect(await parse(toDeliveryBody(events.map(toItem)))).toEqual(events);
});

test("nothing is made of no events", () => {
  expect(() => toDeliveryBody([])).toThrow("no events");
});
