import { describe, expect, it } from "vitest";

import { createManualClock } from "../support/manual-clock.ts";
import { openSink, startTestBroker } from "./test-broker.ts";

const url = "https://example.com/";

describe("the plan's limits", () => {
  it("are those of Upstash's smallest plan for retries and size, and can be set", async () => {
    const publish = async (
      limits: { retriesMax?: number; messageBytesMax?: number },
      retries: number,
      bytes: number,
    ) => {
      const { request } = await startTestBroker({ limits, clock: createManualClock() });
      const headers = { "upstash-retries": String(retries), "upstash-delay": "1h" };
      const body = new Uint8Array(bytes);
      return (await request(`/v2/publish/${url}`, { method: "POST", headers, body })).status;
    };
    expect(await publish({}, 5, 1024 * 1024)).toBe(200);
    expect(await publish({}, 6, 1)).toBe(412);
    expect(await publish({}, 5, 1024 * 1024 + 1)).toBe(412);
    expect(await publish({ retriesMax: 10, messageBytesMax: 2_000_000 }, 10, 2_000_000)).toBe(200);
  });

  it("count messages of a day, of a batch and of a group's endpoints alike, if set", async () => {
    const clock = createManualClock(Date.UTC(2026, 0, 1, 12));
    const { client, request } = await startTestBroker({ limits: { messagesPerDay: 4 }, clock });
    await client.urlGroups.addEndpoints({ name: "group", endpoints: [{ url }, { url: `${url}2` }] });
    await client.publish({ urlGroup: "group", delay: "1h" });
    await client.batch([{ url, delay: "1h" }]);
    await client.publish({ url, delay: "1h" });
    const refused = await request(`/v2/publish/${url}`, { method: "POST" });
    expect(refused.status).toBe(429);
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      "ratelimit-limit": "4",
      "ratelimit-remaining": "0",
      "ratelimit-reset": String(Date.UTC(2026, 0, 2) / 1000),
    });
    await expect(client.publish({ url })).rejects.toMatchObject({ name: "QstashDailyRatelimitError" });
    await clock.advance(43_200_000);
    await client.publish({ url, delay: "1h" });
  });

  it("count requests of a second, but for publishing, if set", async () => {
    const clock = createManualClock(0);
    const { client, request } = await startTestBroker({ limits: { requestsPerSecond: 2 }, clock });
    for (let count = 0; count < 3; count += 1) await client.publish({ url, delay: "1h" });
    expect((await request("/v2/keys")).status).toBe(200);
    expect((await request("/v2/keys")).status).toBe(200);
    const refused = await request("/v2/keys");
    expect(refused.status).toBe(429);
    expect(refused.headers.get("burst-ratelimit-reset")).toBe("1");
    await clock.advance(1000);
    expect((await request("/v2/keys")).status).toBe(200);
  });
});

describe("loopback destinations", () => {
  it("are said once to be refused by QStash itself", async () => {
    const { client, logged } = await startTestBroker();
    const sink = await openSink();
    const said = () => logged.filter((line) => line.includes("broker.loopback_destination"));
    await client.publish({ url, delay: "1h" });
    expect(said()).toEqual([]);
    for (let count = 0; count < 2; count += 1) await client.publish({ url: sink.url });
    expect(said()).toHaveLength(1);
    expect(said()[0]).toContain("QStash itself refuses");
  });
});
