import { expect, onTestFinished, test } from "vitest";

import { otlpParts } from "#dashboard/metrics/otlp/otlp-part.ts";
import { readOtlpTarget } from "#dashboard/metrics/otlp/otlp-target.ts";
import { systemClock as clock } from "#platform/clock.ts";

import { type Respond, type SinkResponse, startSink } from "../support/http-sink.ts";
import { openTestStore } from "../support/store.ts";
import { count as measureCount, measure, measureEverything, rollUpAll } from "./totals.ts";

interface Point {
  attributes: { key: string; value: { stringValue: string } }[];
  startTimeUnixNano: string;
  timeUnixNano: string;
  asDouble?: number;
  count?: string;
  sum?: number;
  zeroCount?: string;
  scale?: number;
  positive?: { offset: number; bucketCounts: string[] };
}
interface Metric {
  name: string;
  unit?: string;
  sum?: { isMonotonic: boolean; aggregationTemporality: number; dataPoints: Point[] };
  gauge?: { dataPoints: Point[] };
  exponentialHistogram?: { aggregationTemporality: number; dataPoints: Point[] };
}

async function startCollector(respond: Respond) {
  const collector = await startSink({ respond });
  onTestFinished(() => collector.close());
  const env = {
    OTEL_METRICS_EXPORTER: "otlp",
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
    OTEL_EXPORTER_OTLP_HEADERS: "api-key=a%20b,odd",
    OTEL_EXPORTER_OTLP_TIMEOUT: "300",
  };
  return { collector, env };
}

test("maintenance pushes what /api/metrics shows, with the store's own buckets", async () => {
  const { db } = await openTestStore();
  await measureEverything(db);
  await measure(db, "handler", [12, 12, 13], { kind: "message", weight: 1.5 });
  await rollUpAll(db);
  const { collector, env } = await startCollector(() => ({ body: '{"partialSuccess":{"rejectedDataPoints":"2"}}' }));
  const [part] = otlpParts(env, () => db, { fetch, clock });
  const result = await part?.run(Infinity, null);
  const { target, headers, body } = await collector.next();
  expect(target).toBe("/v1/metrics");
  expect(headers).toMatchObject({ "api-key": "a b", "content-type": "application/json" });
  const request = JSON.parse(body.toString()) as {
    resourceMetrics: [{ resource: { attributes: unknown }; scopeMetrics: [{ metrics: Metric[] }] }];
  };
  const [{ resource, scopeMetrics }] = request.resourceMetrics;
  expect(resource.attributes).toEqual([{ key: "service.name", value: { stringValue: "instagram-webhook-relay" } }]);
  const metrics = new Map(scopeMetrics[0].metrics.map((metric) => [metric.name, metric]));
  expect(result).toEqual({ sent: metrics.size, rejected: 2 });

  const deliveries = metrics.get("relay_deliveries_total")?.sum;
  expect(deliveries).toMatchObject({ isMonotonic: true, aggregationTemporality: 2 });
  const published = deliveries?.dataPoints.find(
    ({ attributes }) => attributes.map(({ value }) => value.stringValue).join() === "edge,published",
  );
  expect(published?.asDouble).toBe(10);
  expect(BigInt(published?.startTimeUnixNano ?? 0) <= BigInt(published?.timeUnixNano ?? 0)).toBe(true);
  expect(metrics.get("relay_paused")?.gauge?.dataPoints).toMatchObject([{ asDouble: 1 }]);

  const acks = metrics.get("relay_ack_duration_seconds");
  expect(acks?.unit).toBe("s");
  const [ack] = acks?.exponentialHistogram?.dataPoints ?? [];
  expect(ack).toMatchObject({ count: "4", zeroCount: "1", scale: 5 });
  const counts = ack?.positive?.bucketCounts.map(Number) ?? [];
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(3);
  // The first bucket is that of 3.2 ms, the last that of 70 s: (b^i, b^(i+1)] with b = 2^(1/32).
  const offset = ack?.positive?.offset ?? 0;
  expect([2 ** (offset / 32), 2 ** ((offset + 1) / 32)].map((limit) => limit >= 0.0032)).toEqual([false, true]);
  expect(2 ** ((offset + counts.length) / 32)).toBeGreaterThanOrEqual(70);
  expect(ack?.sum).toBeCloseTo(70.2532, 6);

  // Weights of 1, 1.5 and 1.5 are 3 whole ones in the bucket of 12 ms, or 2.5, and one in that of 13 ms.
  const [handler] = metrics.get("relay_handler_duration_seconds")?.exponentialHistogram?.dataPoints ?? [];
  expect(handler?.positive?.bucketCounts.map(Number).filter((count) => count > 0)).toEqual([4, 1]);
  expect(handler?.count).toBe("5");
});

test.each([
  ["refuses", () => ({ status: 401 }), "The collector answered 401"],
  ["is silent", () => new Promise<SinkResponse>(() => {}), "No answer within 300 ms"],
])("a collector that %s makes the part fail in time", async (_what, respond, message) => {
  const { db } = await openTestStore();
  const { env } = await startCollector(respond);
  const [part] = otlpParts(env, () => db, { fetch, clock });
  await expect(part?.run(Infinity, null)).rejects.toThrow(message);
});

test("no counter and no bucket falls from push to push, whatever the weights", async () => {
  const { db } = await openTestStore();
  const { collector, env } = await startCollector(() => ({}));
  const [part] = otlpParts(env, () => db, { fetch, clock });
  let before = new Map<string, bigint[]>();
  for (let round = 0; round < 4; round += 1) {
    const deployment = `dpl_${round}`;
    await measure(db, "ack", [0, 3 + round, 250, 70_000], { deployment, weight: 0.37 + round / 3, cold: round === 1 });
    await measureCount(db, "outcome", 0.1 + round / 7, { label: "published", deployment });
    await rollUpAll(db);
    await part?.run(Infinity, null);
    const { body } = await collector.next();
    const now = new Map<string, bigint[]>();
    const { resourceMetrics } = JSON.parse(body.toString()) as {
      resourceMetrics: [{ scopeMetrics: [{ metrics: Metric[] }] }];
    };
    for (const { name, sum, exponentialHistogram } of resourceMetrics[0].scopeMetrics[0].metrics) {
      for (const point of [...(sum?.dataPoints ?? []), ...(exponentialHistogram?.dataPoints ?? [])]) {
        const { asDouble = 0, sum: total = 0, count: all = "0", zeroCount = "0", positive, startTimeUnixNano } = point;
        const { offset = 0, bucketCounts = [] } = positive ?? {};
        const id = `${name} ${JSON.stringify(point.attributes)}`;
        const micros = [asDouble, total].map((value) => BigInt(Math.round(value * 1e6)));
        now.set(id, [...micros, ...[all, zeroCount, startTimeUnixNano].map(BigInt)]);
        for (const [at, counted] of bucketCounts.entries()) now.set(`${id} ${offset + at}`, [BigInt(counted)]);
      }
    }
    const fell = [...before].filter(([id, values]) => values.some((value, at) => (now.get(id)?.[at] ?? -1n) < value));
    expect(fell).toEqual([]);
    before = now;
  }
  expect(before.size).toBeGreaterThan(5);
});

test("what fetch sets itself is no header of the target, and a time limit is above nothing", () => {
  const env = { OTEL_METRICS_EXPORTER: "otlp", OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" };
  const headers = "content-length=1,Host=evil,connection=close,transfer-encoding=chunked,a=b%0D%0Ac:d,e%0A=f,g=h,g=i";
  expect(readOtlpTarget({ ...env, OTEL_EXPORTER_OTLP_HEADERS: headers })?.headers).toEqual({ "e%0a": "f", g: "i" });
  for (const [text, ms] of [
    ["-1", 5_000],
    ["1e-9", 5_000],
    ["Infinity", 5_000],
    ["0", 5_000],
    ["250", 250],
  ] as const)
    expect(readOtlpTarget({ ...env, OTEL_EXPORTER_OTLP_TIMEOUT: text })?.timeoutMs).toBe(ms);
});

test.each<[string, SinkResponse, unknown]>([
  ["a redirect", { status: 307, headers: { location: "http://127.0.0.1:9/" } }, "The collector answered 307"],
  ["a page", { body: "<html>" }, 0],
  ["points that are no number", { body: '{"partialSuccess":{"rejectedDataPoints":"many"}}' }, 0],
  ["less than nothing", { body: '{"partialSuccess":{"rejectedDataPoints":-5}}' }, 0],
])("a collector that answers with %s", async (_what, response, expected) => {
  const { db } = await openTestStore();
  const { env, collector } = await startCollector(() => response);
  const [part] = otlpParts(env, () => db, { fetch, clock });
  const end = await part?.run(Infinity, null).then(
    (result) => (result as { rejected: number }).rejected,
    (thrown: unknown) => (thrown as Error).message,
  );
  expect([end, collector.requests.length]).toEqual([expected, 1]);
});

test("nothing is pushed unless the environment asks for it", () => {
  const env = { OTEL_METRICS_EXPORTER: "otlp", OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" };
  expect(readOtlpTarget(env)).toEqual({ url: "http://127.0.0.1:4318/v1/metrics", headers: {}, timeoutMs: 5_000 });
  const own = { ...env, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "https://collector.example/x" };
  expect(readOtlpTarget(own)?.url).toBe("https://collector.example/x");
  for (const odd of [
    { OTEL_METRICS_EXPORTER: undefined },
    { OTEL_METRICS_EXPORTER: "none" },
    { OTEL_SDK_DISABLED: "TRUE" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: "https://user:key@collector.example" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: "" },
  ]) {
    expect(readOtlpTarget({ ...env, ...odd })).toBeNull();
  }
});
