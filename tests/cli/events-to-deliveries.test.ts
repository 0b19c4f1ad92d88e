import { expect, test } from "vitest";

import { toDeliveries } from "#cli/listen/events-to-deliveries.ts";
import { buildPayload } from "#conformance/payloads.ts";
import type { EventItem } from "#dashboard/events/read-events.ts";
import { parseWebhook } from "#instagram/webhook-parser.ts";

/** The events of a body as the relay has them that got it as this delivery. */
async function store(body: Uint8Array, deliveryId: string): Promise<EventItem[]> {
  const events = await parseWebhook(body, { deliveryId, onFailure: () => expect.unreachable() });
  return events.map(({ sentAtMs, ...event }): EventItem => {
    const sentAt = sentAtMs === null ? null : new Date(sentAtMs).toISOString();
    return { ...event, sentAt, deliveryId, erasedAt: null } as unknown as EventItem;
  });
}

function testBody(atMs: number): Uint8Array {
  const { object, entry } = buildPayload("message", atMs) as { object: string; entry: object[] };
  return Buffer.from(JSON.stringify({ object, entry: entry.map((one) => ({ ...one, id: "0" })) }));
}

test("a test that comes back from another listener is not passed on again, and another test is", async () => {
  const tests = new Set<string>();
  const first = await store(testBody(1_700_000_000_000), "here-1");
  const [forwarded] = toDeliveries(first, tests);
  const back = await store(forwarded?.body ?? new Uint8Array(), "here-2");
  expect(back[0]).toMatchObject({ test: true, kind: "message" });
  expect(back[0]?.key).not.toBe(first[0]?.key);
  expect(toDeliveries(back, tests)).toMatchObject([
    { body: null, skipped: { skipped: "a test that was delivered before" } },
  ]);
  expect(toDeliveries(await store(testBody(1_700_000_001_000), "here-3"), tests)[0]?.body).toBeInstanceOf(Uint8Array);
});
