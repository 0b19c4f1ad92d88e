import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

import { describe, expect, it, onTestFinished } from "vitest";

import { createManualClock } from "../support/manual-clock.ts";
import { eventually, openSink, readStates, startTestBroker } from "./test-broker.ts";

/** A receiver of bytes: `answer` writes what it likes. */
async function openRawReceiver(
  answer: (socket: Socket, request: string) => void,
): Promise<{ url: string; connections: () => number }> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", (request) => answer(socket, request.toString("latin1")));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, connections: () => connections };
}

describe("a response", () => {
  it("with a head of 100 kB is a success", async () => {
    const { client } = await startTestBroker();
    const receiver = await openRawReceiver((socket) => {
      const cookies = Array.from({ length: 100 }, (_, index) => `set-cookie: c${index}=${"x".repeat(1000)}\r\n`);
      socket.end(`HTTP/1.1 200 OK\r\n${cookies.join("")}content-length: 2\r\n\r\nok`);
    });
    const { messageId } = await client.publish({ url: receiver.url });
    await eventually(() => readStates(client, messageId)).toEqual(["CREATED", "ACTIVE", "DELIVERED"]);
    expect(receiver.connections()).toBe(1);
  });

  it("with a header named __proto__ is a success, and a callback shows the header", async () => {
    const { client } = await startTestBroker();
    const callbacks = await openSink();
    const receiver = await openRawReceiver((socket) => {
      socket.end("HTTP/1.1 200 OK\r\n__proto__: x\r\n__proto__: y\r\ncontent-length: 0\r\n\r\n");
    });
    const { messageId } = await client.publish({ url: receiver.url, callback: callbacks.url });
    await eventually(() => readStates(client, messageId)).toContain("DELIVERED");
    expect((await callbacks.next()).body.toString()).toContain('"__proto__":["x","y"]');
  });

  it("of 200 whose body breaks is a success, and a callback gets what came of it", async () => {
    const { client } = await startTestBroker();
    const callbacks = await openSink();
    const receiver = await openRawReceiver((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", () => socket.destroy());
    });
    const { messageId } = await client.publish({ url: receiver.url, callback: callbacks.url });
    const callback: unknown = JSON.parse((await callbacks.next()).body.toString());
    expect(callback).toMatchObject({ status: 200, body: Buffer.from("half").toString("base64") });
    await eventually(() => readStates(client, messageId)).toEqual(["CREATED", "ACTIVE", "DELIVERED"]);
  });

  it("of 200 whose body never ends is a success, after a while", async () => {
    const clock = createManualClock();
    const { client } = await startTestBroker({ clock });
    let answered = false;
    const receiver = await openRawReceiver((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n", () => (answered = true));
    });
    const { messageId } = await client.publish({ url: receiver.url });
    await eventually(() => answered).toBe(true);
    await eventually(async () => {
      await clock.advance(15_000);
      return readStates(client, messageId);
    }).toEqual(["CREATED", "ACTIVE", "DELIVERED"]);
    expect(receiver.connections()).toBe(1);
  });

  it.each([
    ["that switches protocols", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"],
    ["that never comes", ""],
  ])("%s is a failure", async (_name, answer) => {
    const { client } = await startTestBroker();
    const receiver = await openRawReceiver((socket) => socket.end(answer));
    const { messageId } = await client.publish({ url: receiver.url, retries: 0 });
    await eventually(() => readStates(client, messageId)).toEqual(["CREATED", "ACTIVE", "ERROR", "FAILED"]);
    expect(receiver.connections()).toBe(1);
  });

  it("that is no HTTP is a failure, which the dead letter and the log describe", async () => {
    const { client } = await startTestBroker();
    const receiver = await openRawReceiver((socket) => socket.end("nonsense\r\n\r\n"));
    await client.publish({ url: receiver.url, retries: 0 });
    await eventually(async () => (await client.dlq.listMessages()).messages.length).toBe(1);
    const { messages } = await client.dlq.listMessages();
    expect(messages[0]).toMatchObject({ error: expect.stringContaining("Parse Error") });
    expect(messages[0]).toMatchObject({ responseStatus: 0 });
  });
});

describe("a connection that was kept", () => {
  it("and was closed by the receiver in the meantime costs no attempt", async () => {
    const { client } = await startTestBroker();
    let requests = 0;
    const receiver = await openRawReceiver((socket) => {
      requests += 1;
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
      // The next request on this connection meets a receiver that has gone.
      socket.once("data", () => socket.resetAndDestroy());
    });
    for (let count = 1; count <= 3; count += 1) {
      const { messageId } = await client.publish({ url: receiver.url, retries: 0 });
      await eventually(() => readStates(client, messageId)).toContain("DELIVERED");
    }
    expect(requests).toBeGreaterThanOrEqual(2);
  });
});

describe("a request", () => {
  it("to an address with credentials carries them", async () => {
    const { client, receiver } = await startTestBroker();
    const sink = await openSink();
    const url = sink.url.replace("http://", "http://user:p%40ss@");
    await client.publish({ url, body: "b" });
    const { headers } = await sink.next();
    expect(headers.authorization).toBe(`Basic ${Buffer.from("user:p@ss").toString("base64")}`);
    const verified = receiver.verify({ signature: String(headers["upstash-signature"]), body: "b", url });
    await expect(verified).resolves.toBe(true);
  });

  it("to a port that fetch blocks is made", async () => {
    const { client } = await startTestBroker();
    await client.publish({ url: "http://127.0.0.1:6000/", retries: 0 });
    await eventually(async () => (await client.dlq.listMessages()).messages[0]).toMatchObject({
      error: expect.stringContaining("ECONNREFUSED"),
    });
  });

  it.each(["GET", "DELETE"] as const)("with the method %s carries its body", async (method) => {
    const { client } = await startTestBroker();
    const sink = await openSink();
    await client.publishJSON({ url: sink.url, method, body: { a: 1 } });
    const request = await sink.next();
    expect(request).toMatchObject({ method, headers: { "content-type": "application/json", "content-length": "7" } });
    expect(request.body.toString()).toBe('{"a":1}');
  });

  it("carries and shows headers that are not ASCII, whether they came as UTF-8 or in a batch", async () => {
    const { client, request } = await startTestBroker();
    const sink = await openSink((_request, index) => ({ status: index === 0 ? 500 : 200 }));
    const text = "Grüße, 日本";
    const onTheWire = Buffer.from(text).toString("latin1");
    await request(`/v2/publish/${sink.url}`, {
      method: "POST",
      headers: { "upstash-forward-x-text": onTheWire, "upstash-label": onTheWire, "upstash-retries": "0" },
    });
    expect((await sink.next()).headers["x-text"]).toBe(onTheWire);
    const items = [{ destination: sink.url, headers: { "upstash-forward-x-text": text } }];
    await request("/v2/batch", { method: "POST", body: JSON.stringify(items) });
    expect((await sink.next()).headers["x-text"]).toBe(onTheWire);

    await eventually(
      async () => (await client.dlq.listMessages({ filter: { label: "日本" } })).messages[0],
    ).toMatchObject({
      header: { "X-Text": [text] },
      labels: ["Grüße", "日本"],
    });
  });

  it.each([
    ["forwards", '{"upstash-forward-__proto__":"x"}'],
    ["forwards among all headers", '{"upstash-header-forward":"true","__proto__":"x"}'],
  ])("%s a header named __proto__", async (_name, headers) => {
    const { request } = await startTestBroker();
    let received = "";
    const receiver = await openRawReceiver((socket, text) => {
      received = text;
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    });
    const body = `[{"destination":"${receiver.url}","headers":${headers}}]`;
    expect((await request("/v2/batch", { method: "POST", body })).status).toBe(200);
    await eventually(() => received).toContain("\r\n__proto__: x\r\n");
  });

  it("forwards all headers of the publisher's but its token if asked to", async () => {
    const { broker, request } = await startTestBroker();
    const sink = await openSink();
    const publish = (query: string, authorization: string) =>
      fetch(`${broker.url}/v2/publish/${sink.url}${query}`, {
        method: "POST",
        headers: { authorization, "x-hub-signature": "s", "content-type": "text/plain", "user-agent": "them" },
      });
    await publish("?upstash-header-forward=true", "Bearer test-token");
    const { headers } = await sink.next();
    expect(headers).toMatchObject({ "x-hub-signature": "s", "content-type": "text/plain" });
    expect(headers["user-agent"]).toBe("Upstash-QStash");
    expect(headers.authorization).toBeUndefined();

    // With the token in the query, the header is the webhook's own.
    await publish("?upstash-header-forward=true&qstash_token=test-token", "Bearer theirs");
    expect((await sink.next()).headers.authorization).toBe("Bearer theirs");

    await request(`/v2/publish/${sink.url}`, { method: "POST", headers: { "x-hub-signature": "s" } });
    expect((await sink.next()).headers["x-hub-signature"]).toBeUndefined();
  });
});
