import { describe, expect, onTestFinished, test } from "vitest";

import { answerReports } from "#measurements/answer-reports.ts";
import { type ForwardReport, type RefusalCounts, reportsMax } from "#measurements/report.ts";
import { createReporter } from "#measurements/reporter.ts";
import { type Clock, systemClock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import { internalSignatureHeader, signInternal } from "#platform/internal-signature.ts";
import type { Log } from "#platform/log.ts";
import { openDatabase } from "#store/connection/database.ts";
import { saveReports } from "#store/deliveries/save-reports.ts";
import { deliveryUuid } from "#store/ingest/delivery-uuid.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";
import { deliveries } from "#store/schema/delivery-schema.ts";

import { eventually } from "../support/eventually.ts";
import { startSink } from "../support/http-sink.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore, testBatch, toStore } from "../support/store.ts";

const path = "/api/internal/reports";
const published: ForwardReport = {
  deliveryId: "d1",
  runtime: "edge",
  region: "fra1",
  deployment: "dpl_1",
  coldStart: true,
  probe: false,
  receivedAtMs: 1_700_000_000_000,
  bodyBytes: 100,
  secretIndex: 0,
  events: 2,
  outcome: "published",
  ackMs: 1.5,
  publishMs: 20.5,
  publishedAtMs: 1_700_000_000_020,
  messageIds: ["msg_1"],
  attempts: 1,
  timeouts: 0,
  errorType: null,
  sampleRate: 1,
  ackInBatch: true,
};
const lost: ForwardReport = { ...published, outcome: "lost", publishedAtMs: null, errorType: "PUBLISH_NETWORK" };

interface Options {
  sampleRate?: number;
  random?: () => number;
  secret?: string;
  /** Whether the n-th request, from 0, is handled; else it is answered 503. */
  isUp?: (index: number) => boolean;
  /** The n-th request is answered once this has resolved. */
  gate?: (index: number) => Promise<void> | undefined;
  /** Unless given, one that stands still: a request has a second, and a busy machine may need more. */
  clock?: Clock;
}

/** The reporter and the handler of its reports, joined by HTTP. */
async function setUp({
  sampleRate = 1,
  random = () => 0.5,
  secret = "relay-secret",
  isUp,
  gate,
  clock = createManualClock(),
}: Options = {}) {
  const saved: ForwardReport[][] = [];
  const refusals: RefusalCounts[] = [];
  const recording = createRecordingLog();
  const sink = await startSink({
    respond: async ({ body, headers }, index) => {
      await gate?.(index);
      if (isUp?.(index) === false) return { status: 503 };
      const request = new Request(`http://localhost${path}`, {
        method: "POST",
        body: new Uint8Array(body),
        headers: { [internalSignatureHeader]: String(headers[internalSignatureHeader]) },
      });
      const response = await answerReports(request, {
        readSecrets: () => ["relay-secret"],
        save: async (reports) => {
          if (reports.length > 0) saved.push([...reports]);
        },
        saveRefusals: async (counts) => void refusals.push(counts),
        afterwards: async () => {},
        clock: systemClock,
        log: recording.log,
      });
      return { status: response.status, body: await response.text() };
    },
  });
  onTestFinished(() => sink.close());
  const { report: send, countRefusal } = createReporter({
    runtime: "edge",
    readCall: () => ({ relayUrl: sink.url, path, secret, bypassSecret: "bypass", fetch, clock }),
    random,
    clock,
    log: recording.log,
  });
  const report = (facts: ForwardReport) =>
    send(facts.outcome === "published" ? sampleRate : facts.sampleRate, () => facts);
  return { report, countRefusal, refusals, saved, sink, recording };
}

/** Reports everything. */
function reporterTo(
  relayUrl: string,
  { fetch, clock, log }: { fetch: typeof globalThis.fetch; clock: Clock; log: Log },
) {
  const readCall = () => ({ relayUrl, path, secret: "s", bypassSecret: null, fetch, clock });
  const { report } = createReporter({ runtime: "edge", readCall, random: () => 0, clock, log });
  return (facts: ForwardReport) => report(facts.sampleRate, () => facts);
}

describe("a report", () => {
  test("arrives as it was made", async () => {
    const { report, saved, sink, recording } = await setUp();
    await report(published);
    expect(saved).toEqual([[published]]);
    expect(sink.requests[0]?.headers["x-vercel-protection-bypass"]).toBe("bypass");
    expect(recording.lines).toMatchObject([
      { event: "reports.recorded", deliveryIds: ["d1"] },
      { event: "reports.sent", reports: 1 },
    ]);
  });

  test("that another secret signed is refused, and the reporter does not reject", async () => {
    const { report, saved, recording } = await setUp({ secret: "forged" });
    await report(published);
    expect(saved).toEqual([]);
    expect(recording.of("reports.failed")).toMatchObject([{ status: 401 }]);
  });

  test("to an address that redirects is kept for later, and the log says where that leads", async () => {
    const location = "https://www.relay.example/api/internal/reports?from=bare";
    const sink = await startSink({ respond: () => ({ status: 308, headers: { location } }) });
    onTestFinished(() => sink.close());
    const { log, of } = createRecordingLog();
    await reporterTo(sink.url, { fetch, clock: systemClock, log })(lost);
    expect(of("reports.failed")).toMatchObject([
      {
        causeCode: "RELAY_URL_REDIRECTS",
        causeMessage: "RELAY_URL redirects to https://www.relay.example/api/internal/reports",
        unsent: 1,
      },
    ]);
  });

  test("is sent for the sampled share of successes and for every failure", async () => {
    const { report, saved } = await setUp({ sampleRate: 0.3 });
    await report(published);
    expect(saved).toEqual([]);
    await report(lost);
    expect(saved).toEqual([[lost]]);
  });

  test("shares the next request with all others made while one is under way, and each caller waits for its own", async () => {
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { report, saved, sink } = await setUp({ gate: (index) => (index === 0 ? gate : undefined) });
    const first = report({ ...published, deliveryId: "first" });
    await sink.next();
    const ids = Array.from({ length: 50 }, (_, index) => `d${index}`);
    const others = ids.map(async (deliveryId) => {
      await report({ ...published, deliveryId });
      return saved.flat().some((one) => one.deliveryId === deliveryId);
    });
    open();
    expect(await Promise.all(others)).toEqual(ids.map(() => true));
    await first;
    expect(saved.map((reports) => reports.map(({ deliveryId }) => deliveryId))).toEqual([["first"], ids]);
  });

  test("shares a request with at most the number that fits one", async () => {
    const { report, saved } = await setUp();
    const reports = Array.from({ length: reportsMax * 2 + 1 }, (_, index) => ({
      ...published,
      deliveryId: `d${index}`,
    }));
    await Promise.all(reports.map(report));
    expect(saved.flat()).toEqual(reports);
    expect(saved.map(({ length }) => length)).toEqual([reportsMax, reportsMax, 1]);
  });

  test("of a failure that could not be sent goes with the next one; that of a success does not", async () => {
    const { report, saved, recording } = await setUp({ isUp: (index) => index > 1 });
    await report(lost);
    await report({ ...published, deliveryId: "forgotten" });
    await report({ ...published, deliveryId: "next" });
    expect(saved).toEqual([[lost, { ...published, deliveryId: "next" }]]);
    expect(recording.of("reports.failed")).toMatchObject([
      { status: 503, reports: 1, unsent: 1 },
      { reports: 2, unsent: 1 },
    ]);
  });

  test("that is refused is not sent again with the next one", async () => {
    const { report, saved } = await setUp();
    await report({ ...lost, errorType: "no code" });
    await report(published);
    expect(saved).toEqual([[published]]);
  });

  test("of a failure goes with a success that would not have been sampled", async () => {
    const { report, saved } = await setUp({ sampleRate: 0, isUp: (index) => index > 0 });
    await report(lost);
    await report(published);
    expect(saved).toEqual([[lost]]);
  });

  test("is sent after at most a second when the request before it ended with its invocation", async () => {
    const clock = createManualClock();
    const sent: string[] = [];
    // What belongs to an invocation that has ended does not even react to its abort.
    const partlyDead: typeof fetch = async (_url, init) => {
      if (sent.push(new TextDecoder().decode(init?.body as Uint8Array<ArrayBuffer>)) === 1) await new Promise(() => {});
      return new Response("{}");
    };
    const { log } = createRecordingLog();
    const report = reporterTo("https://relay.example", { fetch: partlyDead, clock, log });
    const first = report(published);
    await eventually("the first report is sent", () => sent.length === 1);
    const behind = report({ ...published, deliveryId: "behind" });
    await clock.advance(1_000);
    await Promise.all([first, behind]);
    expect(await eventually("a second request is sent", () => sent[1])).toContain("behind");
  });

  test("is given up after a second without an answer, and so are the reports that wait for it", async () => {
    const sink = await startSink({ respond: () => new Promise(() => {}) });
    onTestFinished(() => sink.close());
    const clock = createManualClock();
    const { log, of } = createRecordingLog();
    const report = reporterTo(sink.url, { fetch, clock, log });
    const first = report(published);
    await sink.next();
    await clock.advance(500);
    const second = report(published);
    await clock.advance(500);
    await first;
    await sink.next();
    await clock.advance(500);
    await second;
    await eventually("both reports are given up", () => of("reports.failed").length === 2);
    expect(of("reports.failed")).toMatchObject([{ cause: "TimeoutError" }, { cause: "TimeoutError" }]);
    expect(clock.timersLeft()).toBe(0);
  });

  test.each([
    "{}",
    "nope",
    '{"reports":[{"deliveryId":"d1","outcome":"fine"}]}',
    '{"reports":[],"refusals":{"runtime":"edge","atMs":1,"counts":{"text of a stranger":1}}}',
    '{"reports":[],"refusals":{"runtime":"edge","atMs":1,"counts":{"NOT_KEPT":0}}}',
  ])("that says %s is 400", async (text) => {
    const body = new TextEncoder().encode(text);
    const headers = { [internalSignatureHeader]: await signInternal("s", `POST ${path}`, body, Date.now()) };
    const response = await answerReports(new Request(`http://localhost${path}`, { method: "POST", body, headers }), {
      readSecrets: () => ["s"],
      save: async () => expect.unreachable(),
      afterwards: async () => {},
      saveRefusals: async () => expect.unreachable(),
      clock: systemClock,
      log: createRecordingLog().log,
    });
    expect(response.status).toBe(400);
  });
});

describe("refusals", () => {
  test("are reported at once, then together and at most every three seconds, however many there are", async () => {
    const clock = createManualClock();
    const bodies: { reports: unknown[]; refusals: RefusalCounts }[] = [];
    const send: typeof fetch = async (_url, init) => {
      bodies.push(JSON.parse(new TextDecoder().decode(init?.body as Uint8Array)) as (typeof bodies)[number]);
      return new Response("{}");
    };
    const { log } = createRecordingLog();
    const readCall = () => ({
      relayUrl: "https://relay.example",
      path,
      secret: "s",
      bypassSecret: null,
      fetch: send,
      clock,
    });
    const { countRefusal } = createReporter({ runtime: "edge", readCall, random: () => 0, clock, log });
    const begun: Promise<void>[] = [];
    // A thousand a second for ten seconds.
    for (let tenth = 0; tenth < 100; tenth += 1) {
      for (let index = 0; index < 100; index += 1) {
        const report = countRefusal(index === 0 ? "BODY_TOO_LARGE" : "SIGNATURE_MISSING");
        if (report !== undefined) begun.push(report);
      }
      await clock.advance(100);
      // The first is due at once, a further one every three seconds. None waits longer than a second of this clock.
      const due = Math.min(begun.length, 1 + Math.floor(clock.monotonicMs() / 3_000));
      await eventually("the reports that are due are sent", () => bodies.length === due);
    }
    await clock.advance(3_000);
    await Promise.all(begun);
    expect([begun.length, bodies.length]).toEqual([5, 5]);
    const sum = (reason: string) => bodies.reduce((total, { refusals }) => total + (refusals.counts[reason] ?? 0), 0);
    expect([sum("BODY_TOO_LARGE"), sum("SIGNATURE_MISSING")]).toEqual([100, 9_900]);
    expect(clock.timersLeft()).toBe(0);
  });

  test("that could not be reported go with the next report of any kind", async () => {
    const options = { isUp: (index: number) => index > 0, clock: systemClock };
    const { countRefusal, report, refusals, recording } = await setUp(options);
    await countRefusal("SIGNATURE_INVALID");
    await report(published);
    expect(refusals).toMatchObject([{ runtime: "edge", counts: { SIGNATURE_INVALID: 1 } }]);
    expect(recording.of("reports.failed")).toMatchObject([{ status: 503, reports: 0 }]);
  });

  test("cost only a line of the log where the address of reports is not configured", async () => {
    const { log, of } = createRecordingLog();
    const readCall = () => {
      throw new RelayError("ENV_INVALID", "Configuration is incomplete: RELAY_SECRET is not set");
    };
    const { countRefusal } = createReporter({ runtime: "edge", readCall, random: () => 0, clock: systemClock, log });
    await countRefusal("ENV_INVALID");
    expect(of("reports.failed")).toMatchObject([
      { causeMessage: "Configuration is incomplete: RELAY_SECRET is not set" },
    ]);
  });
});

test("a report that is not understood does not prevent that the others are stored", async () => {
  const { db } = await openTestStore();
  const odd = { ...published, deliveryId: "odd", region: "a\0b".repeat(100), bodyBytes: 1e12, receivedAtMs: 8.64e15 };
  const reports = [
    published,
    { ...odd, events: 0.5, attempts: 1e12 },
    { outcome: "fine" },
    null,
    { ...lost, deliveryId: "d3" },
  ];
  const body = new TextEncoder().encode(JSON.stringify({ reports }));
  const headers = { [internalSignatureHeader]: await signInternal("s", "POST /", body, Date.now()) };
  const response = await answerReports(new Request("http://localhost/", { method: "POST", body, headers }), {
    readSecrets: () => ["s"],
    saveRefusals: () => Promise.reject(new Error("There are no refusals")),
    afterwards: async () => {},
    save: (understood) => saveReports(db, understood, 1_700_000_000_200),
    clock: systemClock,
    log: createRecordingLog().log,
  });
  expect([response.status, await response.json()]).toEqual([200, { recorded: 3 }]);
  const rows = await db.select({ id: deliveries.id }).from(deliveries).orderBy(deliveries.id);
  expect(rows.map(({ id }) => id)).toEqual(["d1", "d3", "odd"].map(deliveryUuid).toSorted());
});

describe("saveReports()", () => {
  test.each(["before", "after"])("meets the delivery's row whether it comes %s the batch", async (order) => {
    const { db } = await openTestStore();
    const store = () => storeBatch(db, toStore(testBatch("d1", [])));
    const save = () => saveReports(db, [published], 1_700_000_000_200);
    await (order === "before" ? save() : store());
    await (order === "before" ? store() : save());
    await save();
    expect(await db.select().from(deliveries)).toMatchObject([
      {
        id: deliveryUuid("d1"),
        deployment: "dpl_1",
        outcome: "published",
        ackMs: 1.5,
        publishMs: 20.5,
        attempts: 1,
        events: 2,
        messageIds: ["msg_1"],
      },
    ]);
  });

  test("tries again, under repeatable read, after another call has changed the delivery meanwhile", async () => {
    const { db, pool, url } = await openTestStore();
    await storeBatch(db, toStore(testBatch("d1", [])));
    const name = new URL(url).pathname.slice(1);
    await pool.query(`alter database ${name} set default_transaction_isolation = 'repeatable read'`);
    const { db: changed, close } = openDatabase(url);
    onTestFinished(close);
    const other = await pool.connect();
    await other.query("begin");
    await other.query("update relay.deliveries set handler_ms = 5");
    const saving = saveReports(changed, [published], 1_700_000_000_200);
    await eventually("the report waits for the row", async () => {
      const { rowCount } = await pool.query(
        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      return rowCount === 1;
    });
    await other.query("commit");
    other.release();
    await saving;
    expect(await db.select().from(deliveries)).toMatchObject([{ outcome: "published", handlerMs: 5 }]);
  });

  test("stores many at once, and of a repeated report only the first", async () => {
    const { db } = await openTestStore();
    await saveReports(db, [{ ...lost, deliveryId: "d2" }], 1_700_000_000_200);
    await saveReports(db, [{ ...published, deliveryId: "d3" }, lost, published, { ...published, deliveryId: "d2" }], 0);
    const rows = await db.select().from(deliveries);
    expect(new Set(rows.map(({ id, outcome, errorType }) => [id, outcome, errorType]))).toEqual(
      new Set([
        [deliveryUuid("d1"), "published", null],
        [deliveryUuid("d2"), "lost", "PUBLISH_NETWORK"],
        [deliveryUuid("d3"), "published", null],
      ]),
    );
    await saveReports(db, [], 0);
  });
});
