import { describe, expect, it } from "vitest";

import { createManualClock } from "../support/manual-clock.ts";
import { eventually, openSink, shareBroker, startTestBroker } from "./test-broker.ts";

describe("URL groups with the SDK", () => {
  it("are made of endpoints, which can be renamed and removed; the last takes the group with it", async () => {
    const { client } = await startTestBroker();
    const [a, b] = [
      { name: "a", url: "https://a.example/" },
      { name: "b", url: "https://b.example/" },
    ];
    await client.urlGroups.addEndpoints({ name: "group", endpoints: [a] });
    await client.urlGroups.addEndpoints({ name: "group", endpoints: [b, { url: "https://c.example/" }] });
    await client.urlGroups.addEndpoints({ name: "group", endpoints: [{ ...a, name: "first" }] });
    expect(await client.urlGroups.get("group")).toMatchObject({
      name: "group",
      createdAt: expect.any(Number),
      updatedAt: expect.any(Number),
      endpoints: [{ ...a, name: "first" }, b, { url: "https://c.example/" }],
    });
    await client.urlGroups.removeEndpoints({
      name: "group",
      endpoints: [{ name: "b" }, { url: "https://c.example/" }],
    });
    expect((await client.urlGroups.list())[0]?.endpoints).toEqual([{ ...a, name: "first" }]);
    await client.urlGroups.removeEndpoints({ name: "group", endpoints: [{ name: "first" }] });
    await expect(client.urlGroups.get("group")).rejects.toMatchObject({ status: 404 });
  });

  it("are published to endpoint by endpoint", async () => {
    const { client } = await startTestBroker();
    const [well, ill] = [await openSink(), await openSink(() => ({ status: 500 }))];
    await client.urlGroups.addEndpoints({
      name: "group",
      endpoints: [{ name: "well", url: `${well.url}/?a=1` }, { url: ill.url }],
    });
    const answers = await client.publishJSON({ urlGroup: "group", body: { n: 1 }, retries: 0 });

    expect(answers).toEqual([
      { messageId: expect.stringMatching(/^msg_/), url: `${well.url}/?a=1` },
      { messageId: expect.stringMatching(/^msg_/), url: ill.url },
    ]);
    const delivery = await well.next();
    expect(delivery).toMatchObject({ target: "/?a=1", headers: { "upstash-topic-name": "group" } });
    expect(await client.messages.get(answers[0]?.messageId ?? "")).toMatchObject({
      topicName: "group",
      urlGroup: "group",
      endpointName: "well",
    });
    const find = async () => (await client.dlq.listMessages({ filter: { urlGroup: "group" } })).messages;
    await eventually(async () => (await find()).map(({ messageId }) => messageId)).toEqual([answers[1]?.messageId]);
    const { logs } = await client.logs({ filter: { urlGroup: "group", state: "DELIVERED" } });
    expect(logs).toMatchObject([{ messageId: answers[0]?.messageId }]);
  });

  it("find duplicates endpoint by endpoint, and nest in the answer to a batch", async () => {
    const { client, request } = await startTestBroker({ clock: createManualClock() });
    const endpoints = [{ url: "http://127.0.0.1:9/1" }, { url: "http://127.0.0.1:9/2" }];
    await client.urlGroups.addEndpoints({ name: "group", endpoints });
    const publish = () => client.publish({ urlGroup: "group", deduplicationId: "once", delay: 60 });
    const first = await publish();
    const again = await request("/v2/publish/group", {
      method: "POST",
      headers: { "upstash-deduplication-id": "once", "upstash-delay": "60s" },
    });
    expect(again.status).toBe(202);
    expect(await again.json()).toEqual(first.map((answer) => ({ ...answer, deduplicated: true })));

    const batch = await client.batchJSON([{ urlGroup: "group", body: {}, delay: 60 }]);
    expect(batch).toEqual([[expect.objectContaining(endpoints[0]), expect.objectContaining(endpoints[1])]]);
  });
});

describe("URL groups by plain HTTP", () => {
  const shared = shareBroker();

  it.each([
    ["POST", "/v2/topics/g/endpoints", '{"endpoints":[{"url":"no-scheme"}]}', 400],
    ["POST", "/v2/topics/g/endpoints", '{"endpoints":[{"name":"only"}]}', 400],
    ["POST", "/v2/topics/g/endpoints", '{"endpoints":[]}', 400],
    ["POST", "/v2/topics/no%20spaces/endpoints", '{"endpoints":[{"url":"https://a.b/"}]}', 400],
    ["POST", "/v2/topics/g/endpoints", '{"endpoints":[{"url":"https://a.b/","name":"\\u0000"}]}', 400],
    ["DELETE", "/v2/topics/none/endpoints", '{"endpoints":[{"name":"a"}]}', 404],
    ["GET", "/v2/topics/none", undefined, 404],
    ["DELETE", "/v2/topics/none", undefined, 200],
  ])("%s %s %s answers %i", async (method, path, body, status) => {
    const { request } = shared();
    expect((await request(path, { method, ...(body ? { body } : {}) })).status).toBe(status);
  });

  it("are named where one that does not exist is published to", async () => {
    const { request } = shared();
    const response = await request("/v2/publish/my-group", { method: "POST" });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: expect.stringContaining('no URL group is called "my-group"') });
  });

  it("are found although their name is percent-encoded and settings follow it", async () => {
    const { client, request } = await startTestBroker({ clock: createManualClock() });
    await client.urlGroups.addEndpoints({ name: "a.b", endpoints: [{ url: "http://127.0.0.1:9/" }] });
    const response = await request("/v2/publish/a%2Eb?upstash-delay=5m", { method: "POST" });
    const [answer]: { messageId: string }[] = await response.json();
    const message = await client.messages.get(answer?.messageId ?? "");
    expect(message.notBefore).toBe(message.createdAt + 300_000);
  });
});
