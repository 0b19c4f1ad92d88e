import { describe, expect, it } from "vitest";

import { parseCron } from "#broker/delivery/cron.ts";

import { createManualClock } from "../support/manual-clock.ts";
import { createDatabase, eventually, openSink, readStates, shareBroker, startTestBroker } from "./test-broker.ts";

/** A Monday in March; the clocks of Berlin change on the 29th. */
const startMs = Date.UTC(2026, 2, 23, 10, 0, 30);
const minuteMs = 60_000;

describe("schedules with the SDK", () => {
  it("fire when they are due, again and again, signed and with their id", async () => {
    const clock = createManualClock(startMs);
    const { client } = await startTestBroker({ clock });
    const sink = await openSink();
    const { scheduleId } = await client.schedules.create({
      destination: `${sink.url}/tick?x=1`,
      cron: "*/5 * * * *",
      body: "tick",
      headers: { "content-type": "text/plain", "X-Kind": "k" },
    });
    expect(scheduleId).toMatch(/^scd_/);
    await clock.advance(4 * minuteMs + 29_999);
    expect(sink.requests).toHaveLength(0);
    for (const minute of [5, 10, 15]) {
      await eventually(async () => {
        await clock.advance(Math.max(1, startMs + minute * minuteMs - 30_000 - clock.nowMs()));
        return sink.requests.length;
      }).toBe(minute / 5);
    }
    const [request] = sink.requests;
    expect(request).toMatchObject({
      target: "/tick?x=1",
      headers: { "upstash-schedule-id": scheduleId, "content-type": "text/plain", "x-kind": "k" },
    });
    expect(request?.body.toString()).toBe("tick");

    const messageId = String(sink.requests[2]?.headers["upstash-message-id"]);
    await eventually(() => readStates(client, messageId)).toContain("DELIVERED");
    expect(await client.schedules.get(scheduleId)).toMatchObject({
      lastScheduleTime: startMs + 15 * minuteMs - 30_000,
      nextScheduleTime: startMs + 20 * minuteMs - 30_000,
      lastScheduleStates: { [messageId]: "SUCCESS" },
    });
    expect((await client.logs({ filter: { scheduleId } })).logs.length).toBeGreaterThanOrEqual(9);
  });

  it("are shown with all their settings", async () => {
    const { client } = await startTestBroker({ clock: createManualClock(startMs) });
    const { scheduleId } = await client.schedules.create({
      destination: "https://oz.example.com/",
      body: JSON.stringify({ hello: "world" }),
      headers: { "test-header": "test-value", "Upstash-Forward-Other": "client-test" },
      method: "GET",
      callback: "https://example.com",
      failureCallback: "https://example.com/failure",
      delay: 10,
      retries: 5,
      retryDelay: "1000 * retried",
      queueName: "scheduleQueue",
      label: "l",
      flowControl: { key: "k", rate: 3, period: "1m" },
      cron: "*/10 * * * * ",
    });
    const schedule = await client.schedules.get(scheduleId);
    expect(schedule).toMatchObject({
      scheduleId,
      cron: "*/10 * * * *",
      destination: "https://oz.example.com/",
      method: "GET",
      body: '{"hello":"world"}',
      retries: 5,
      retryDelayExpression: "1000 * retried",
      delay: 10,
      callback: "https://example.com",
      failureCallback: "https://example.com/failure",
      queueName: "scheduleQueue",
      label: "l",
      flowControlKey: "k",
      rate: 3,
      period: 60,
      isPaused: false,
      createdAt: startMs,
      nextScheduleTime: Date.UTC(2026, 2, 23, 10, 10),
    });
    expect(schedule.header).toEqual({
      "Content-Type": ["application/json"],
      "Test-Header": ["test-value"],
      Other: ["client-test"],
    });
    expect((await client.schedules.list()).map((one) => one.scheduleId)).toEqual([scheduleId]);
  });

  it("are overwritten by another of the same id, and deleted", async () => {
    const clock = createManualClock(startMs);
    const { client } = await startTestBroker({ clock });
    const sink = await openSink();
    const create = (destination: string, cron: string, body?: string) =>
      client.schedules.create({ destination, cron, scheduleId: "daily", ...(body ? { body } : {}) });
    await create(`${sink.url}/old`, "* * * * *", "old");
    await create(`${sink.url}/new`, "*/2 * * * *");
    const [schedule, ...others] = await client.schedules.list();
    expect(others).toEqual([]);
    expect(schedule).toMatchObject({ scheduleId: "daily", destination: `${sink.url}/new`, cron: "*/2 * * * *" });
    expect(schedule).not.toHaveProperty("body");

    await clock.advance(90_000);
    expect((await sink.next()).target).toBe("/new");
    await client.schedules.delete("daily");
    await clock.advance(60 * minuteMs);
    expect(sink.requests).toHaveLength(1);
    await expect(client.schedules.get("daily")).rejects.toMatchObject({ status: 404 });
    await expect(client.schedules.delete("daily")).rejects.toMatchObject({ status: 404 });
  });

  it("do not fire while they are paused, nor make up for it afterwards", async () => {
    const clock = createManualClock(startMs);
    const { client } = await startTestBroker({ clock });
    const sink = await openSink();
    const { scheduleId: schedule } = await client.schedules.create({ destination: sink.url, cron: "* * * * *" });
    await client.schedules.pause({ schedule });
    expect(await client.schedules.get(schedule)).toMatchObject({ isPaused: true });
    await clock.advance(10 * minuteMs);
    await client.schedules.resume({ schedule });
    expect(await client.schedules.get(schedule)).toMatchObject({ isPaused: false });
    await clock.advance(29_999);
    expect(sink.requests).toHaveLength(0);
    await clock.advance(1);
    await sink.next();
    expect(sink.requests).toHaveLength(1);
  });

  it("fire once for all the times that passed while the broker was down", async () => {
    const clock = createManualClock(startMs);
    const databaseUrl = await createDatabase();
    const first = await startTestBroker({ databaseUrl, clock });
    const sink = await openSink();
    await first.client.schedules.create({ destination: sink.url, cron: "* * * * *" });
    await first.broker.stop();
    const later = createManualClock(startMs + 10 * minuteMs);
    await startTestBroker({ databaseUrl, clock: later });
    await sink.next();
    await later.advance(29_999);
    expect(sink.requests).toHaveLength(1);
    await later.advance(1);
    await sink.next();
  });

  it("delay their messages, send them through their queue, and to all endpoints of a URL group", async () => {
    const clock = createManualClock(startMs);
    const { client } = await startTestBroker({ clock });
    const sink = await openSink();
    const endpoints = [{ url: `${sink.url}/1` }, { url: `${sink.url}/2` }];
    await client.urlGroups.addEndpoints({ name: "group", endpoints });
    await client.schedules.create({ destination: "group", cron: "0 11 * * *", delay: 60, queueName: "q" });
    await clock.advance(60 * minuteMs + 29_999);
    expect(sink.requests).toHaveLength(0);
    await clock.advance(1);
    const deliveries = [await sink.next(), await sink.next()];
    expect(deliveries.map(({ target }) => target)).toEqual(["/1", "/2"]);
    expect(deliveries[0]?.headers).toMatchObject({ "upstash-topic-name": "group" });
    const { logs } = await client.logs({ filter: { queueName: "q", state: "CREATED" } });
    expect(logs).toHaveLength(2);
  });
});

describe("the times of schedules", () => {
  const shared = shareBroker();

  it.each([
    ["0 9 * * *", "2026-03-24T09:00:00Z"],
    ["CRON_TZ=Europe/Berlin 0 9 * * *", "2026-03-24T08:00:00Z"],
    ["CRON_TZ=America/New_York 30 23 * * 1", "2026-03-24T03:30:00Z"],
    ["0 0 29 2 *", "2028-02-29T00:00:00Z"],
    ["0 12 * * MON-FRI", "2026-03-23T12:00:00Z"],
    ["*/1 * * * *", "2026-03-23T10:01:00Z"],
  ])("%s is due next at %s", (cron, time) => {
    expect(new Date(parseCron(cron, startMs)?.next(startMs) ?? 0)).toEqual(new Date(time));
  });

  it("follow the clocks of their time zone", () => {
    const times = parseCron("CRON_TZ=Europe/Berlin 0 9 * * *", startMs);
    expect(times?.next(Date.UTC(2026, 2, 28, 0, 0))).toBe(Date.UTC(2026, 2, 28, 8, 0));
    expect(times?.next(Date.UTC(2026, 2, 29, 0, 0))).toBe(Date.UTC(2026, 2, 29, 7, 0));
  });

  it.each([
    "",
    "* * * *",
    "* * * * * *",
    "60 * * * *",
    "*/0 * * * *",
    "0 0 31 2 *",
    "CRON_TZ=Mars/Olympus * * * * *",
    "2030-01-01T00:00:00",
    "@reboot",
    `${"1,".repeat(500)}1 * * * *`,
  ])("%j is refused", async (cron) => {
    const { request } = shared();
    const headers = { "upstash-cron": cron };
    const response = await request("/v2/schedules/https://example.com/", { method: "POST", headers });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: expect.stringContaining("Upstash-Cron") });
  });
});

describe("schedules by plain HTTP", () => {
  const shared = shareBroker();

  it.each(["POST", "PATCH"])("are paused and resumed by %s", async (method) => {
    const { request } = shared();
    const headers = { "upstash-cron": "1 1 1 1 1", "upstash-schedule-id": "sched" };
    const created = await request("/v2/schedules/https://example.com/?a=b", { method: "POST", headers });
    expect(await created.json()).toEqual({ scheduleId: "sched" });
    const read = async (): Promise<unknown> => (await request("/v2/schedules/sched")).json();
    expect((await request("/v2/schedules/sched/pause", { method })).status).toBe(200);
    expect(await read()).toMatchObject({ isPaused: true, destination: "https://example.com/?a=b" });
    expect((await request("/v2/schedules/sched/resume", { method })).status).toBe(200);
    expect(await read()).toMatchObject({ isPaused: false });
    expect((await request("/v2/schedules/none/pause", { method })).status).toBe(404);
  });

  it.each([
    ["upstash-schedule-id", "no spaces", 400],
    ["upstash-queue-name", "no spaces", 400],
    ["upstash-retries", "6", 412],
    ["upstash-delay", "366d", 412],
    ["upstash-something-new", "1", 501],
  ])("refuse %s: %s with %i", async (name, value, status) => {
    const { request } = shared();
    const headers = { "upstash-cron": "* * * * *", [name]: value };
    const response = await request("/v2/schedules/https://example.com/", { method: "POST", headers });
    expect(response.status).toBe(status);
  });

  it("take their settings from the query, too", async () => {
    const { request } = shared();
    const path = "/v2/schedules/https://example.com/?upstash-cron=1+1+1+1+1&upstash-schedule-id=query";
    await request(path, { method: "POST" });
    const schedule: unknown = await (await request("/v2/schedules/query")).json();
    expect(schedule).toMatchObject({ cron: "1 1 1 1 1", destination: "https://example.com/" });
  });
});
