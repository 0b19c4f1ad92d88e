import * as v from "valibot";

import { fetchWithin, type Network } from "#platform/bounded-fetch.ts";
import { RelayError } from "#platform/errors.ts";
import { errorCodeOf } from "#platform/failure.ts";
import { protectionBypass } from "#platform/protection-bypass.ts";
import type { Database } from "#store/connection/database.ts";
import { readStoredItem } from "#store/ingest/stored-item.ts";
import { countRecentAudit } from "#store/operators/audit.ts";

import { type DeliveryBody, deliveryBody, rawBodyOf } from "./delivery-body.ts";

/** The body of `POST /api/ops/test-deliveries`: a kind to invent an event of, or the event to send again. */
export function testRequest(kinds: readonly string[]) {
  const id = v.pipe(v.number(), v.safeInteger("must be a whole number"), v.minValue(1, "must be at least 1"));
  return v.pipe(
    v.strictObject({
      kind: v.optional(v.picklist(kinds, `must be one of ${kinds.join(", ")}`)),
      eventId: v.optional(id),
      to: v.optional(v.picklist(["edge", "node"], "must be edge or node"), "edge"),
      reason: v.optional(v.pipe(v.string(), v.maxLength(300, "must have at most 300 characters"))),
    }),
    v.check(
      ({ kind, eventId }) => (kind === undefined) !== (eventId === undefined),
      "must have either kind or eventId",
    ),
  );
}

export type TestRequest = v.InferOutput<ReturnType<typeof testRequest>>;

export interface TestSending extends Network {
  db: Database;
  /** The relay's own base URL. */
  baseUrl: string;
  bypassSecret: string | null;
  /** Makes `X-Hub-Signature-256` with the app secret. */
  sign: (body: Uint8Array) => Promise<string>;
  /** A delivery with one invented event of the kind. */
  buildPayload: (kind: string, nowMs: number) => unknown;
}

export interface SentTest {
  /** By which the test is found, as `x-delivery-id`. */
  deliveryId: string | null;
  status: number;
  /** From the request to the last byte of the answer. */
  ackMs: number;
  to: "edge" | "node";
}

/** Meta's account of the dashboard's Test button: the relay marks its events as tests, and stores each. */
const testAccount = "0";
const testsPerMinuteMax = 30;
const answerLimitMs = 10_000;

/**
 * Signs a new delivery and posts it to the relay's own webhook, as Meta would. Its event is a test: it has a key of its own,
 * so that nothing stored is touched, and handlers see `event.test`. Throws `RATE_LIMITED` after thirty in a minute,
 * `TEST_NOT_ACCEPTED` if the webhook does not answer 200, `NOT_FOUND`, `CONFLICT` and `STORE_UNAVAILABLE`.
 */
export async function sendTestDelivery({ kind, eventId, to }: TestRequest, sending: TestSending): Promise<SentTest> {
  const { db, baseUrl, bypassSecret, sign, clock } = sending;
  // The row of this one is there already.
  if ((await countRecentAudit(db, "test-delivery.send", 60_000)) > testsPerMinuteMax) {
    const because = `${testsPerMinuteMax} test deliveries were sent within a minute`;
    throw new RelayError("RATE_LIMITED", `${because}: wait a minute, or use relay trigger`, { retryAfterMs: 60_000 });
  }
  const delivery = eventId === undefined ? build(kind ?? "", sending) : await again(db, eventId);
  const body = new TextEncoder().encode(JSON.stringify(asTest(delivery)));
  const headers = {
    "content-type": "application/json",
    "x-hub-signature-256": await sign(body),
    "user-agent": "instagram-webhook-relay test",
    ...protectionBypass(bypassSecret),
  };
  const url = `${baseUrl}/api/webhooks/instagram${to === "node" ? "/node" : ""}`;
  const startedAt = clock.monotonicMs();
  const { status, headers: answered } = await post(url, { method: "POST", headers, body }, sending);
  if (status !== 200) throw notAccepted(`The webhook answered ${status}`);
  const ackMs = Math.round((clock.monotonicMs() - startedAt) * 10) / 10;
  return { deliveryId: answered.get("x-delivery-id"), status, ackMs, to };
}

async function post(url: string, init: RequestInit, { fetch, clock }: Network) {
  try {
    return await fetchWithin(answerLimitMs, url, init, { fetch, clock });
  } catch (thrown) {
    const { name, cause } = thrown instanceof Error ? thrown : new Error("no error");
    throw notAccepted(`The webhook could not be reached (${errorCodeOf(cause) ?? name})`, thrown);
  }
}

function notAccepted(because: string, cause?: unknown): RelayError {
  return new RelayError("TEST_NOT_ACCEPTED", `${because}: npm run relay -- doctor finds the cause`, { cause });
}

function build(kind: string, { buildPayload, clock }: TestSending): DeliveryBody {
  return buildPayload(kind, clock.nowMs()) as DeliveryBody;
}

async function again(db: Database, eventId: number): Promise<DeliveryBody> {
  const item = await readStoredItem(db, eventId);
  if (rawBodyOf(item) === null) return deliveryBody([item]);
  throw new RelayError(
    "CONFLICT",
    "The body was not JSON, so it cannot be marked as a test: save it and use relay trigger",
  );
}

function asTest({ object, entry }: DeliveryBody): DeliveryBody {
  return { object, entry: entry.map((one) => ({ ...one, id: testAccount })) };
}
