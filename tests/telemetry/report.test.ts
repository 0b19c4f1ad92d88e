import { describe, expect, onTestFinished, test } from "vitest";

import { systemClock } from "#platform/clock.ts";
import { saveReport } from "#store/save-report.ts";
import { deliveries } from "#store/schema.ts";
import { storeBatch } from "#store/store-batch.ts";
import { createDeliveryReporter } from "#telemetry/delivery-reporter.ts";
import type { ForwardReport } from "#telemetry/report.ts";
import { handleReport } from "#telemetry/report-handler.ts";

import { startSink } from "../support/http-sink.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore, testBatch } from "../support/store.ts";

const settled = {
  id: "d1",
  runtime: "edge",
  region: "fra1",
  coldStart: true,
  probe: false,
  receivedAtMs: 1_700_000_000_000,
  bodyBytes: 100,
  events: 2,
  outcome: "published",
  ackMs: 1.5,
  durationMs: 20.5,
  publishedAtMs: 1_700_000_000_020,
  attempts: 1,
  timeouts: 0,
  errorType: null,
} as const;

/** The reporter and the handler of its reports, joined by HTTP. */
async function setUp(overrides: { sampleRate?: number; random?: () => number; secret?: string } = {}) {
  const { sampleRate = 1, random = () => 0.5, secret = "relay-secret" } = overrides;
  const saved: ForwardReport[] = [];
  const recording = createRecordingLog();
  const sink = await startSink({
    respond: async ({ body, headers }) => {
      const request = new Request("http://localhost/", {
        method: "POST",
        body: new Uint8Array(body),
        headers: { "x-relay-signature": String(headers["x-relay-signature"]) },
      });
      const response = await handleReport(request, {
        readSecret: () => "relay-secret",
        save: async (report) => {
          saved.push(report);
        },
        clock: systemClock,
        log: recording.log,
      });
      return { status: response.status, body: await response.text() };
    },
  });
  onTestFinished(() => sink.close());
  const report = createDeliveryReporter({
    url: sink.url,
    secret,
    sampleRate,
    random,
    bypassSecret: "bypass",
    fetch,
    clock: systemClock,
    log: recording.log,
  });
  return { report, saved, sink, recording };
}

describe("a report", () => {
  test("arrives as it was made", async () => {
    const { report, saved, sink, recording } = await setUp();
    await report(settled);
    const { id, durationMs, ...same } = settled;
    expect(saved).toEqual([{ ...same, deliveryId: id, publishMs: durationMs }]);
    expect(sink.requests[0]?.headers["x-vercel-protection-bypass"]).toBe("bypass");
    expect(recording.lines.map((line) => [line["event"], line["deliveryId"]])).toEqual([
      ["report.recorded", "d1"],
      ["report.sent", "d1"],
    ]);
  });

  test("under another secret is refused and stops nobody", async () => {
    const { report, saved, recording } = await setUp({ secret: "forged" });
    await report(settled);
    expect(saved).toEqual([]);
    expect(recording.of("report.failed")).toMatchObject([{ status: 401 }]);
  });

  test("is sent for the sampled share of successes and for every failure", async () => {
    const { report, saved } = await setUp({ sampleRate: 0.3 });
    await report(settled);
    expect(saved).toEqual([]);
    await report({ ...settled, outcome: "lost", publishedAtMs: null });
    expect(saved).toHaveLength(1);
  });

  test("to somebody who does not answer is given up after a second", async () => {
    const sink = await startSink({ respond: () => new Promise(() => {}) });
    onTestFinished(() => sink.close());
    const clock = createManualClock();
    const { log, of } = createRecordingLog();
    const report = createDeliveryReporter({
      url: sink.url,
      secret: "s",
      sampleRate: 1,
      random: () => 0,
      bypassSecret: null,
      fetch,
      clock,
      log,
    });
    const reported = report(settled);
    await sink.next();
    await clock.advance(1_000);
    await reported;
    expect(of("report.failed")).toMatchObject([{ timedOut: true }]);
  });

  test.each(["{}", "nope", '{"deliveryId":"d1","outcome":"fine"}'])("that says %s is 400", async (text) => {
    const { signInternal } = await import("#platform/internal-signature.ts");
    const body = new TextEncoder().encode(text);
    const response = await handleReport(
      new Request("http://localhost/", {
        method: "POST",
        body,
        headers: { "x-relay-signature": await signInternal("s", body, Date.now()) },
      }),
      {
        readSecret: () => "s",
        save: async () => expect.unreachable(),
        clock: systemClock,
        log: createRecordingLog().log,
      },
    );
    expect(response.status).toBe(400);
  });
});

describe("saveReport()", () => {
  const report: ForwardReport = (({ id, durationMs, ...same }) => ({ ...same, deliveryId: id, publishMs: durationMs }))(
    settled,
  );

  test.each(["before", "after"])("meets the delivery's row whether it comes %s the batch", async (order) => {
    const { db } = await openTestStore();
    const store = () =>
      storeBatch(db, {
        ...(({ chunk, ...delivery }) => ({ delivery, chunk }))(testBatch("d1", []).delivery),
        events: [],
        deliveredAtMs: 1_700_000_000_100,
        ingested: () => ({ atMs: 1_700_000_000_110, afterMs: 10 }),
      });
    const save = () => saveReport(db, report, 1_700_000_000_200);
    await (order === "before" ? save() : store());
    await (order === "before" ? store() : save());
    await save();
    expect(await db.select().from(deliveries)).toMatchObject([
      { id: "d1", outcome: "published", ackMs: 1.5, publishMs: 20.5, attempts: 1, events: 2 },
    ]);
  });
});
