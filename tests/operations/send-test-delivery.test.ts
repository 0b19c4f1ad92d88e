/** What a test delivery says to the webhook, and what it and a fixture are refused for. The built relay's test ingests them. */
import { sql } from "drizzle-orm";
import { onTestFinished, expect, test } from "vitest";
import * as v from "valibot";

import { buildPayload, type PayloadKind, payloadKinds } from "#conformance/payloads.ts";
import { signBody } from "#instagram/signature.ts";
import { parseWebhook } from "#instagram/webhook-parser.ts";
import { makeFixture } from "#operations/make-fixture.ts";
import { sendTestDelivery, testRequest, type TestSending } from "#operations/send-test-delivery.ts";
import { systemClock } from "#platform/clock.ts";

import { deliveries } from "#store/schema/delivery-schema.ts";
import { deliveryRow, eventRow, insertEvents } from "../dashboard/rows.ts";
import { startSink } from "../support/http-sink.ts";
import { parseOptions } from "../support/parse-options.ts";
import { openTestStore } from "../support/store.ts";

const schema = testRequest(payloadKinds);
const parse = (body: unknown) => v.parse(schema, body);
const at = new Date("2026-01-31T12:00:00Z");
const mask = { secret: "secret", keepsText: false };

async function setUp(data: unknown = { sender: { id: "6001" }, message: { mid: "m_1", text: "hello" } }) {
  const { db } = await openTestStore();
  const sink = await startSink({ respond: () => ({ headers: { "x-delivery-id": "d_test" } }) });
  onTestFinished(() => sink.close());
  await db.insert(deliveries).values(deliveryRow({ id: "d_1", receivedAt: at }));
  const row = eventRow({ key: "message:1:m_1", deliveryId: "d_1", ingestedAt: at, data: JSON.stringify(data) });
  const [eventId = 0] = await insertEvents(db, [row]);
  const sending: TestSending = {
    db,
    baseUrl: sink.url,
    bypassSecret: "bypass",
    sign: (body) => signBody("app-secret", body),
    buildPayload: (kind, nowMs) => buildPayload(kind as PayloadKind, nowMs),
    fetch,
    clock: systemClock,
  };
  return { db, sink, sending, eventId };
}

test("a stored event is sent again as a test: signed, with the same data, to the runtime named", async () => {
  const { sink, sending, eventId } = await setUp();
  const sent = await sendTestDelivery(parse({ eventId, to: "node" }), sending);
  expect(sent).toEqual({ deliveryId: "d_test", status: 200, ackMs: expect.any(Number), to: "node" });
  const { target, headers, body } = await sink.next();
  expect([target, headers["x-vercel-protection-bypass"]]).toEqual(["/api/webhooks/instagram/node", "bypass"]);
  expect(headers["x-hub-signature-256"]).toBe(await signBody("app-secret", body));
  const [event] = await parseWebhook(body, parseOptions("d_test"));
  expect(event).toMatchObject({
    kind: "message",
    test: true,
    accountId: "0",
    senderId: "6001",
    data: { message: { text: "hello" } },
  });
  expect(event?.key).toContain("d_test");
  expect((await sendTestDelivery(parse({ kind: "comment" }), sending)).to).toBe("edge");
  expect(await parseWebhook((await sink.next()).body, parseOptions("d"))).toMatchObject([
    { kind: "comment", test: true },
  ]);
});

test("a test is refused with what to do about it", async () => {
  const { db, sending, eventId } = await setUp();
  for (const body of [
    {},
    { kind: "comment", eventId },
    { kind: "unknown" },
    { kind: "comment", to: "moon" },
    { eventId: 0 },
  ]) {
    expect(v.safeParse(schema, body).success).toBe(false);
  }
  const again = parse({ eventId });
  const gone = await startSink();
  await gone.close();
  await expect(sendTestDelivery(again, { ...sending, baseUrl: gone.url })).rejects.toMatchObject({
    code: "TEST_NOT_ACCEPTED",
    message: "The webhook could not be reached (ECONNREFUSED): npm run relay -- doctor finds the cause",
  });
  const refusing = await startSink({ respond: () => ({ status: 401 }) });
  onTestFinished(() => refusing.close());
  await expect(sendTestDelivery(again, { ...sending, baseUrl: refusing.url })).rejects.toThrow(
    /answered 401: .*doctor/,
  );
  await expect(sendTestDelivery(parse({ eventId: 999 }), sending)).rejects.toMatchObject({ code: "NOT_FOUND" });
  await db.execute(sql`
    insert into relay.audit (actor, via, address, action, result)
    select 'ops', 'page', '-', 'test-delivery.send', case when n < 30 then 'ok' else 'started' end from generate_series(1, 31) n`);
  await expect(sendTestDelivery(again, sending)).rejects.toMatchObject({ code: "RATE_LIMITED", retryAfterMs: 60_000 });
});

test("a fixture masks what a handler was sent, and says why there is none", async () => {
  const { db, eventId } = await setUp();
  const { entry } = await makeFixture(db, eventId, mask);
  expect(JSON.stringify(entry)).not.toMatch(/6001|hello|17841400000000001/);
  expect(JSON.stringify((await makeFixture(db, eventId, { ...mask, keepsText: true })).entry)).toContain("hello");
  await expect(makeFixture(db, 999, mask)).rejects.toMatchObject({ code: "NOT_FOUND" });
  await db.execute(sql`update relay.events set erased_at = now(), data = '{"erased":"unsent"}' where id = ${eventId}`);
  await expect(makeFixture(db, eventId, mask)).rejects.toThrow(/was erased/);
});

test("an event whose body was not JSON can be neither marked as a test nor masked", async () => {
  const { db, sending, eventId } = await setUp({ bodyBase64: "bm90IGpzb24=" });
  await expect(sendTestDelivery(parse({ eventId }), sending)).rejects.toMatchObject({ code: "CONFLICT" });
  await expect(makeFixture(db, eventId, mask)).rejects.toMatchObject({ code: "CONFLICT" });
});
