import { Client as Database } from "pg";
import { describe, expect, it } from "vitest";

import { keys, shareBroker, startTestBroker } from "./test-broker.ts";

const routes = [
  ["POST", "/v2/publish/https://example.com/"],
  ["POST", "/v2/batch"],
  ["GET", "/v2/keys"],
  ["GET", "/v2/messages/msg_1"],
  ["DELETE", "/v2/messages"],
  ["GET", "/v2/dlq"],
  ["DELETE", "/v2/dlq"],
  ["POST", "/v2/dlq/retry"],
  ["GET", "/v2/events"],
  ["GET", "/v2/queues"],
  ["GET", "/"],
] as const;

describe("authentication", () => {
  const shared = shareBroker();

  it.each(routes)("%s %s answers 401 without the token", async (method, path) => {
    const { broker } = shared();
    for (const authorization of ["", "Bearer wrong", `Basic ${keys.token}`, `Bearer ${keys.token}x`]) {
      const response = await fetch(broker.url + path, { method, headers: { authorization } });
      expect(response.status).toBe(401);
      expect(response.headers.get("content-type")).toContain("application/json");
      expect(await response.json()).toEqual({ error: "unable to authenticate: invalid token" });
    }
  });

  it("takes the token from the query, too", async () => {
    const { broker } = shared();
    const response = await fetch(`${broker.url}/v2/keys?qstash_token=${keys.token}`);
    expect(await response.json()).toEqual({ current: keys.currentSigningKey, next: keys.nextSigningKey });
  });
});

describe("what the broker does not speak", () => {
  const shared = shareBroker();

  it.each([
    ["GET", "/v2/bulkActions"],
    ["GET", "/v2/bulkActions/ba_1"],
    ["DELETE", "/v2/messages?async=true"],
    ["PATCH", "/v2/topics/group"],
    ["POST", "/v2/flowControl/key/explode"],
    ["POST", "/llm/v1/chat/completions"],
    ["PUT", "/v2/publish/https://example.com/"],
    ["GET", "/v3/anything"],
  ])("%s %s answers 501 in JSON, with the whole path", async (method, path) => {
    const { request } = shared();
    const response = await request(path, { method });
    expect(response.status).toBe(501);
    const error = expect.stringMatching(/ is not supported by this broker$/);
    expect(await response.json()).toEqual({ error });
    expect(await (await request(path, { method })).text()).toContain(`${method} ${path.split("?")[0]}`);
  });
});

describe("requests that make no sense", () => {
  const shared = shareBroker();

  it.each([
    ["POST", "/v2/batch", "{"],
    ["POST", "/v2/batch", "{}"],
    ["GET", "/v2/dlq?count=many", undefined],
    ["GET", "/v2/dlq?cursor=nonsense", undefined],
    ["GET", "/v2/dlq?label=%00", undefined],
    ["GET", "/v2/events?cursor=nonsense", undefined],
  ])("%s %s %s answers 400", async (method, path, body) => {
    const { request } = shared();
    const response = await request(path, { method, ...(body === undefined ? {} : { body }) });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: expect.any(String) });
  });

  it("get an error for each bad item of a batch", async () => {
    const { request } = shared();
    const items = [
      null,
      1,
      {},
      { destination: "https://a.b/", body: 1 },
      { destination: "https://a.b/", headers: { a: 1 } },
      { destination: "https://a.b/", headers: { "upstash-forward-x": "\0" } },
      { destination: "https://a.b/ c" },
    ];
    const response = await request("/v2/batch", { method: "POST", body: JSON.stringify(items) });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(items.map(() => ({ error: expect.any(String) })));
  });
});

describe("a failure of the broker's own", () => {
  it("answers 500 in JSON, and the log says why without the token", async () => {
    const { databaseUrl, request, logged } = await startTestBroker();
    await runIn(databaseUrl, "alter table messages rename to gone");
    const response = await request(`/v2/publish/https://example.com/?qstash_token=${keys.token}`, { method: "POST" });
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ error: "the broker could not handle the request" });
    expect(logged.join("\n")).toContain("broker.request_failed");
    expect(logged.join("\n")).not.toContain(keys.token);
  });
});

async function runIn(databaseUrl: string, statement: string): Promise<void> {
  const database = new Database({ connectionString: databaseUrl });
  await database.connect();
  await database.query(statement);
  await database.end();
}
