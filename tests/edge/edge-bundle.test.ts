import { readFileSync } from "node:fs";

import { describe, expect, onTestFinished, test } from "vitest";

import { signBody } from "#instagram/signature.ts";
import { systemClock } from "#platform/clock.ts";
import { verifyInternal } from "#platform/internal-signature.ts";
import type { RefusalCounts } from "#measurements/report.ts";
import { decodeBatch } from "#queue/decode-batch.ts";

import { runOnEdgeHost } from "../support/edge-host.ts";
import { openEdgeIsolate, productBuild, readEdgeFunctions, readRoutes } from "../support/edge-isolate.ts";
import { type Respond, type SinkResponse, startSink } from "../support/http-sink.ts";

const route = "/api/webhooks/instagram/route";
const secret = "app-secret";
const body = new TextEncoder().encode(
  JSON.stringify({
    object: "instagram",
    entry: [
      { id: "17841400000000001", time: 1_700_000_000_500, messaging: [{ message: { mid: "m1", text: "hello" } }] },
    ],
  }),
);

const env = (sinkUrl: string) => ({
  INSTAGRAM_APP_SECRET: secret,
  INSTAGRAM_VERIFY_TOKEN: "verify-token",
  QSTASH_TOKEN: "token",
  QSTASH_URL: sinkUrl,
  RELAY_URL: sinkUrl,
  RELAY_SECRET: "relay-secret-of-thirty-two-characters",
  REPORT_SAMPLE_RATE: "1",
  LOG_LEVEL: "debug",
});

/** For what waits until they are over. */
const shortBudgets = { PUBLISH_TIMEOUT_MS: "400", PUBLISH_BUDGET_MS: "400", FALLBACK_BUDGET_MS: "400" };

const accepted = { status: 200, body: '{"messageId":"msg_1"}' };
const stored = { status: 200, body: '{"inserted":1,"duplicates":0}' };
const isPublish = (target: string) => target.startsWith("/v2/publish/");

const signedHeaders = async () => ({
  "x-hub-signature-256": await signBody(secret, body),
  "content-type": "application/json",
});

/** A server in the place of QStash and of our own report route. */
async function openSink(respond?: Respond) {
  const sink = await startSink(respond === undefined ? {} : { respond });
  onTestFinished(() => sink.close());
  return sink;
}

/** The built webhook in an isolate of its own. */
async function setUp(respond?: Respond, { takesPromises = true, budgets = {} } = {}) {
  const sink = await openSink(respond);
  const isolate = openEdgeIsolate({ route, env: { ...env(sink.url), ...budgets }, takesPromises });
  const deliver = async () =>
    isolate.call("/api/webhooks/instagram", { method: "POST", body, headers: await signedHeaders() });
  return { sink, isolate, deliver };
}

describe("the build", () => {
  test("makes edge functions of the webhook and of the lifecycle experiment's edge route only", () => {
    expect(Object.keys(readEdgeFunctions()).toSorted()).toEqual(["/api/internal/lifecycle/edge/route", route]);
  });

  test("gives Next on the edge no more of OpenTelemetry's API than it uses", () => {
    const files = readEdgeFunctions()[route]?.files ?? [];
    const source = files.map((file) => readFileSync(productBuild + file, "utf8")).join("");
    expect(source).toContain("Attempted duplicate registration of API");
    // Of its metrics, which Next does not use.
    expect(source).not.toContain("createObservableGauge");
  });

  test("makes Node functions of the webhook's Node route and of the consumer", () => {
    const routes = Object.keys(readRoutes());
    for (const path of ["/api/webhooks/instagram/node/route", "/api/qstash/instagram-ingestion/route"]) {
      expect(routes).toContain(path);
      expect(readEdgeFunctions()).not.toHaveProperty(path);
    }
  });
});

describe("the built webhook on the edge", () => {
  test("answers before the publish settles, and hands all of it to waitUntil", async () => {
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { sink, isolate, deliver } = await setUp(async () => {
      await gate;
      return accepted;
    });

    const response = await deliver();
    expect([response.status, await response.text()]).toEqual([200, "EVENT_RECEIVED"]);
    const pending = Promise.all(isolate.waitedFor);
    await sink.next();
    expect(await isSettled(pending)).toBe(false);

    open();
    await pending;
    expect(sink.requests.map(({ target }) => target)).toEqual([
      `/v2/publish/${sink.url}/api/qstash/instagram-ingestion`,
      "/api/internal/reports",
    ]);
    const batch = decodeBatch(sink.requests[0]?.body.toString() ?? "");
    expect(batch.delivery).toMatchObject({ runtime: "edge", id: response.headers.get("x-delivery-id") });
    expect(batch.events).toMatchObject([{ key: "message:17841400000000001:m1", data: { message: { text: "hello" } } }]);
    expect(JSON.parse(sink.requests[1]?.body.toString() ?? "")).toMatchObject({
      reports: [{ runtime: "edge", outcome: "published" }],
    });
  });

  test.each([
    ["is made on a host that honours waitUntil", true],
    ["is never made on a host that does not", false],
  ])("a second attempt, due after the response, %s", async (_name, honoursWaitUntil) => {
    const sink = await openSink(({ target }, index) => (isPublish(target) && index === 0 ? { status: 503 } : accepted));
    const request = { path: "/api/webhooks/instagram", headers: await signedHeaders(), body };
    const { status } = await runOnEdgeHost({ route, env: env(sink.url), ...request, honoursWaitUntil });
    expect(status).toBe(200);
    // The isolate has ended: what has not arrived by now never will.
    const attempts = sink.requests.filter(({ target }) => isPublish(target));
    const reports = sink.requests.filter(({ target }) => target === "/api/internal/reports");
    expect([attempts.length === 2, reports.length === 1]).toEqual([honoursWaitUntil, honoursWaitUntil]);
  });

  test("reports refusals, and those of a flood together", async () => {
    const { sink, isolate } = await setUp();
    const startedMs = systemClock.monotonicMs();
    for (let index = 0; index < 300; index += 1) {
      const response = await isolate.call("/api/webhooks/instagram", { method: "POST", body });
      expect(response.status).toBe(401);
    }
    await Promise.all(isolate.waitedFor);
    const reports = sink.requests.map(({ target, body: report }) => {
      expect(target).toBe("/api/internal/reports");
      return (JSON.parse(report.toString()) as { refusals: RefusalCounts }).refusals;
    });
    // One at once, one at the end, and one every three seconds between them.
    expect(reports.length).toBeLessThanOrEqual(2 + (systemClock.monotonicMs() - startedMs) / 3_000);
    expect(reports.reduce((total, { counts }) => total + (counts["SIGNATURE_MISSING"] ?? 0), 0)).toBe(300);
  });

  test("publishes a repeated delivery under an id of its own, so that QStash takes it where the first copy failed", async () => {
    const { sink, isolate, deliver } = await setUp();
    await deliver();
    await deliver();
    await Promise.all(isolate.waitedFor);
    const published = sink.requests.filter(({ target }) => isPublish(target));
    const ids = published.map(({ headers }) => headers["upstash-deduplication-id"]);
    expect([ids.length, new Set(ids).size]).toEqual([2, 2]);
  });

  test("falls back to our own Node route when QStash refuses", async () => {
    const { sink, isolate, deliver } = await setUp(({ target }) => (isPublish(target) ? { status: 401 } : stored));
    expect((await deliver()).status).toBe(200);
    await Promise.all(isolate.waitedFor);
    const fallback = sink.requests[1];
    expect(sink.requests.map(({ target }) => target).slice(1)).toEqual([
      "/api/internal/fallback-ingestion",
      "/api/internal/reports",
    ]);
    const signature = String(fallback?.headers["x-relay-signature"]);
    const purpose = "POST /api/internal/fallback-ingestion";
    const relaySecret = "relay-secret-of-thirty-two-characters";
    expect(await verifyInternal(relaySecret, purpose, fallback?.body ?? new Uint8Array(), signature, Date.now())).toBe(
      true,
    );
    expect(fallback?.body).toEqual(sink.requests[0]?.body);
    expect(isolate.lines.find(({ event }) => event === "forward.settled")).toMatchObject({ outcome: "fallback" });
  });

  test("the promises given to waitUntil settle when QStash and the fallback are silent; then acks are withheld", async () => {
    const { isolate, deliver } = await setUp(() => new Promise(() => {}), { budgets: shortBudgets });
    expect((await deliver()).status).toBe(200);
    await Promise.all(isolate.waitedFor);
    expect(isolate.lines.find(({ event }) => event === "forward.lost")).toMatchObject({
      publishErrorType: "PUBLISH_TIMEOUT",
      fallbackErrorType: "FALLBACK_TIMEOUT",
      keys: ["message:17841400000000001:m1"],
    });
    expect((await deliver()).status).toBe(503);
    await Promise.all(isolate.waitedFor);
  });

  test("on a host that refuses promises it logs that, waits, and acknowledges only what is kept", async () => {
    let answer: () => void = () => {};
    const answered = new Promise<SinkResponse>((resolve) => {
      answer = () => resolve(accepted);
    });
    const { sink, isolate, deliver } = await setUp(({ target }) => (isPublish(target) ? answered : {}), {
      takesPromises: false,
    });
    const response = deliver();
    await sink.next();
    expect(await isSettled(response)).toBe(false);
    answer();
    expect((await response).status).toBe(200);
    expect(isolate.waitedFor).toEqual([]);
    const lines = isolate.lines.map(({ event, level, mode }) => [event, level, mode]);
    expect(lines).toContainEqual(["delivery.wait_until_failed", "error", undefined]);
    expect(lines).toContainEqual(["delivery.acked", "debug", "durable"]);
  });

  test("refuses a forged delivery and publishes nothing", async () => {
    const { sink, isolate } = await setUp();
    const headers = { "x-hub-signature-256": `sha256=${"0".repeat(64)}` };
    const response = await isolate.call("/api/webhooks/instagram", { method: "POST", body, headers });
    expect(response.status).toBe(401);
    await Promise.all(isolate.waitedFor);
    expect(sink.requests.map(({ target }) => target)).toEqual(["/api/internal/reports"]);
  });

  test("answers the handshake, and answers other methods with 405 and Allow", async () => {
    const { isolate } = await setUp();
    const query = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify-token";
    expect(await (await isolate.call(`/api/webhooks/instagram?${query}`)).text()).toBe("1158201444");
    for (const method of ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"]) {
      const response = await isolate.call("/api/webhooks/instagram", { method });
      expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, POST"]);
    }
  });
});

/** Whether a promise has settled by now, all that is ready having run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  const first = await Promise.race([promise, new Promise((resolve) => setImmediate(resolve, pending))]);
  return first !== pending;
}
