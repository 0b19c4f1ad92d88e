import { request as httpRequest } from "node:http";

import { decodeJwt, decodeProtectedHeader } from "jose";
import { describe, expect, it } from "vitest";

import { createManualClock } from "../support/manual-clock.ts";
import { eventually, keys, openSink, readStates, shareBroker, startTestBroker } from "./test-broker.ts";

describe("publishing with the SDK", () => {
  it("delivers signed, with the publisher's headers and QStash's", async () => {
    const { client, receiver } = await startTestBroker();
    const sink = await openSink();
    const url = `${sink.url}/hook?x=1`;

    const { messageId } = await client.publishJSON({
      url,
      body: { hello: "wörld" },
      headers: { "X-Trace": "abc", Authorization: "Bearer theirs" },
      label: ["a", "b"],
    });
    const delivery = await sink.next();

    expect(messageId).toMatch(/^msg_/);
    expect(delivery).toMatchObject({ method: "POST", target: "/hook?x=1" });
    expect(delivery.body.toString()).toBe('{"hello":"wörld"}');
    expect(delivery.headers).toMatchObject({
      "content-type": "application/json",
      "user-agent": "Upstash-QStash",
      "upstash-message-id": messageId,
      "upstash-retried": "0",
      "upstash-caller-ip": "127.0.0.1",
      "x-trace": "abc",
      authorization: "Bearer theirs",
    });
    const signature = String(delivery.headers["upstash-signature"]);
    await expect(receiver.verify({ signature, body: delivery.body.toString(), url })).resolves.toBe(true);
    await expect(receiver.verify({ signature, body: "other", url })).rejects.toThrow("body hash");
    await eventually(() => readStates(client, messageId)).toEqual(["CREATED", "ACTIVE", "DELIVERED"]);
  });

  it("signs with QStash's claims", async () => {
    const { client } = await startTestBroker();
    const sink = await openSink();
    await client.publish({ url: sink.url });
    const signature = String((await sink.next()).headers["upstash-signature"]);

    expect(decodeProtectedHeader(signature)).toEqual({ alg: "HS256", typ: "JWT" });
    expect(decodeJwt(signature)).toEqual({
      aud: "",
      // SHA-256 of nothing, with its padding.
      body: "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
      exp: expect.any(Number),
      iat: expect.any(Number),
      iss: "Upstash",
      jti: expect.stringMatching(/^jwt_/),
      nbf: -62_135_596_800,
      sub: sink.url,
    });
  });

  it("uses the method asked for and keeps its own headers from being forged", async () => {
    const { client } = await startTestBroker();
    const sink = await openSink();
    const headers = { "Upstash-Forward-Upstash-Retried": "7", "Upstash-Forward-User-Agent": "me", "X-Kept": "k" };
    await client.publish({ url: sink.url, method: "PUT", body: "b", headers });
    const put = await sink.next();
    expect(put).toMatchObject({ method: "PUT", headers: { "upstash-retried": "0", "x-kept": "k" } });
    expect(put.headers["user-agent"]).toBe("Upstash-QStash");

    await client.publish({ url: sink.url, method: "GET", headers: { Connection: "close", Host: "elsewhere" } });
    const get = await sink.next();
    expect(get.method).toBe("GET");
    expect(sink.url).toContain(get.headers.host);
  });

  it("takes a batch and answers for each item", async () => {
    const { client } = await startTestBroker();
    const sink = await openSink();
    const answers = await client.batchJSON([
      { url: `${sink.url}/1`, body: { n: 1 } },
      { url: "not-a-url", body: { n: 2 } },
      { url: `${sink.url}/3`, body: { n: 3 }, queueName: "q q" },
      { url: `${sink.url}/4`, body: { n: 4 } },
    ]);

    expect(answers).toEqual([
      { messageId: expect.stringMatching(/^msg_/), url: `${sink.url}/1` },
      { error: expect.stringContaining('no URL group is called "not-a-url"') },
      { error: expect.stringContaining("invalid queue name") },
      { messageId: expect.stringMatching(/^msg_/), url: `${sink.url}/4` },
    ]);
    const targets = [(await sink.next()).target, (await sink.next()).target];
    expect(targets.toSorted()).toEqual(["/1", "/4"]);
  });

  it("answers a duplicate with 202 and the first id, even after a failure, for ten minutes", async () => {
    const clock = createManualClock();
    const { client, request } = await startTestBroker({ clock });
    const sink = await openSink(() => ({ status: 500 }));
    const publish = () =>
      request(`/v2/publish/${sink.url}`, {
        method: "POST",
        headers: { "upstash-deduplication-id": "once", "upstash-retries": "0" },
      });

    const first: { messageId: string } = await (await publish()).json();
    await eventually(() => readStates(client, first.messageId)).toContain("FAILED");
    await clock.advance(599_000);
    const again = await publish();
    expect(again.status).toBe(202);
    expect(await again.json()).toMatchObject({ messageId: first.messageId, deduplicated: true });

    await clock.advance(1000);
    const afterwards = await publish();
    expect(afterwards.status).toBe(200);
    expect(await afterwards.json()).not.toMatchObject({ messageId: first.messageId });
  });

  it("takes what Upstash's Python SDK writes: `True` for true, null for no body and no queue", async () => {
    const { request } = await startTestBroker();
    const sink = await openSink();
    const headers = { "Upstash-Content-Based-Deduplication": "True" };
    const item = { destination: sink.url, headers, body: null, queue: null };
    const publish = async (): Promise<unknown> =>
      (await request("/v2/batch", { method: "POST", body: JSON.stringify([item]) })).json();
    expect(await publish()).toEqual([{ messageId: expect.stringMatching(/^msg_/), url: sink.url }]);
    expect(await publish()).toMatchObject([{ deduplicated: true }]);
    expect((await sink.next()).body).toHaveLength(0);
    expect(await (await request("/v2/readiness")).json()).toEqual({ ready: true });
  });

  it("finds duplicates by content", async () => {
    const { client } = await startTestBroker();
    const sink = await openSink();
    const publish = (body: string) => client.publish({ url: sink.url, body, contentBasedDeduplication: true });
    const first = await publish("same");
    expect(await publish("same")).toMatchObject({ messageId: first.messageId, deduplicated: true });
    expect(await publish("other")).not.toHaveProperty("deduplicated");
  });

  it("holds a message back until its delay is over", async () => {
    const clock = createManualClock();
    const { client } = await startTestBroker({ clock });
    const sink = await openSink();
    const { messageId } = await client.publish({ url: sink.url, delay: 60 });

    await clock.advance(59_999);
    expect(sink.requests).toHaveLength(0);
    expect(await client.messages.get(messageId)).toMatchObject({ notBefore: clock.nowMs() + 1 });
    await clock.advance(1);
    await sink.next();
  });
});

describe("the destination", () => {
  const shared = shareBroker();

  it("is delivered to as it stood in the request target", async () => {
    const { broker, receiver } = shared();
    const sink = await openSink();
    const destination = `${sink.url}//double//slash/%2Fencoded/a%20b?q=1&r=a%26b&&empty=`;
    const target = `/v2/publish/${destination}&upstash-retries=0&qstash_token=${keys.token}`;
    expect(await postRaw(broker.port, target)).toBe(200);

    const delivery = await sink.next();
    expect(sink.url + delivery.target).toBe(destination);
    const signature = String(delivery.headers["upstash-signature"]);
    await expect(receiver.verify({ signature, body: "", url: destination })).resolves.toBe(true);
  });

  it.each([
    [
      "word",
      400,
      'invalid destination url: endpoint has invalid scheme, add http:// or https://, and no URL group is called "word"',
    ],
    ["ftp://host/", 400, "invalid destination url: endpoint has invalid scheme, add http:// or https://"],
    ["https://", 400, "invalid destination url: it cannot be parsed"],
    ["api/llm", 501, "Publishing to api/llm is not supported by this broker"],
  ])("%s is refused with %i", async (destination, status, error) => {
    const { request } = shared();
    const response = await request(`/v2/publish/${destination}`, { method: "POST" });
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error });
  });
});

describe("the body", () => {
  const shared = shareBroker();

  it.each([
    ["every byte", Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
    ["a byte order mark", Buffer.from("\uFEFF{}")],
    ["nothing", Buffer.alloc(0)],
    ["a megabyte", Buffer.alloc(1024 * 1024, "x")],
  ])("arrives byte for byte: %s", async (_name, body) => {
    const { request } = shared();
    const sink = await openSink();
    expect((await request(`/v2/publish/${sink.url}`, { method: "POST", body })).status).toBe(200);
    const delivery = await sink.next();
    expect(delivery.body.equals(body)).toBe(true);
    // None was given, none is invented.
    expect(delivery.headers["content-type"]).toBeUndefined();
  });

  it.each(["with its length", "chunked"])("over a megabyte is refused, sent %s", async (how) => {
    const { request } = shared();
    const bytes = new Uint8Array(1024 * 1024 + 1);
    const response = await request("/v2/publish/https://example.com/", {
      method: "POST",
      body: how === "chunked" ? new Blob([bytes]).stream() : bytes,
      duplex: "half",
    } as RequestInit);
    expect(response.status).toBe(412);
    expect(await response.json()).toEqual({ error: "quota maxMessageSize exceeded" });
  });
});

describe("publish headers", () => {
  const shared = shareBroker();

  it.each([
    ["upstash-retries", "6", 412, "quota maxRetries exceeded"],
    ["upstash-callback-retries", "6", 412, "quota maxRetries exceeded", "upstash-callback"],
    ["upstash-retries", "9".repeat(400), 400, /Upstash-Retries/],
    ["upstash-retries", "-1", 400, /Upstash-Retries/],
    ["upstash-delay", "10", 400, /Upstash-Delay/],
    ["upstash-delay", "366d", 412, "quota maxDelay exceeded, current limit: 31536000"],
    ["upstash-not-before", "tomorrow", 400, /Upstash-Not-Before/],
    ["upstash-not-before", "9".repeat(400), 400, /Upstash-Not-Before/],
    ["upstash-not-before", "9".repeat(15), 412, /quota maxDelay exceeded/],
    ["upstash-timeout", "soon", 400, /Upstash-Timeout/],
    ["upstash-timeout", "0s", 400, /Upstash-Timeout/],
    ["upstash-timeout", `${"9".repeat(30)}d`, 400, /Upstash-Timeout/],
    ["upstash-delay", `${"9".repeat(400)}s`, 400, /Upstash-Delay/],
    ["upstash-callback-timeout", `${"9".repeat(30)}d`, 400, /Upstash-Callback-Timeout/, "upstash-callback"],
    ["upstash-failure-callback-timeout", "1e99s", 400, /Failure-Callback-Timeout/, "upstash-failure-callback"],
    ["upstash-method", "BREW", 400, "invalid method: BREW"],
    ["upstash-deduplication-id", "a:b", 400, "DeduplicationId cannot contain ':'"],
    ["upstash-failure-callback", "word", 400, /invalid callback url/],
    ["upstash-retry-delay", "retried +", 400, /Upstash-Retry-Delay/],
    ["upstash-retry-delay", "constructor(1)", 400, /Upstash-Retry-Delay/],
    ["upstash-flow-control-key", "k", 400, /neither parallelism nor rate/],
    ["upstash-flow-control-value", "rate=1", 400, /without Upstash-Flow-Control-Key/],
    ["upstash-redact-fields", "body,everything", 400, /Upstash-Redact-Fields/],
    ["upstash-cron", "* * * * *", 501, /Upstash-Cron/],
    ["upstash-callback-delay", "1s", 501, /Upstash-Callback-Delay/],
    ["upstash-failure-callback-flow-control-key", "k", 501, /Upstash-Failure-Callback-Flow-Control-Key/],
    ["upstash-something-new", "1", 501, /Upstash-Something-New/],
  ])("%s: %s is refused with %i", async (name, value, status, error, callback = "x-none") => {
    const { request } = shared();
    const headers = { [callback]: "https://example.com/", [name]: value };
    const response = await request("/v2/publish/https://example.com/", { method: "POST", headers });
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error: expect.stringMatching(error) });
  });
});

/** A POST whose request target nobody normalises. */
function postRaw(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, method: "POST", path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on("error", reject).end();
  });
}
