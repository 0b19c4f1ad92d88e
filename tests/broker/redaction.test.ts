import { createHash } from "node:crypto";

import { describe, expect, it } from "vitest";

import { createManualClock } from "../support/manual-clock.ts";
import { createGate, eventually, openSink, shareBroker, startTestBroker } from "./test-broker.ts";

const hash = (text: string) => `REDACTED:${createHash("sha256").update(text).digest("hex")}`;

describe("redacted fields", () => {
  const shared = shareBroker();

  it("are delivered as they are and shown as hashes: in the message, the log and the dead letter", async () => {
    const { client } = shared();
    // A message that was delivered is no longer there to be read.
    const gate = createGate();
    const sink = await openSink(() => gate.response);
    const { messageId } = await client.publish({
      url: sink.url,
      body: "private",
      retries: 0,
      headers: { "X-Secret": "s", "X-Open": "o" },
      redact: { body: true, header: ["X-Secret"] },
      failureCallback: `${sink.url}/failed`,
    });
    const shown = { header: { "X-Secret": [hash("s")], "X-Open": ["o"] } };
    expect(await client.messages.get(messageId)).toMatchObject({ ...shown, body: hash("private") });
    gate.open({ status: 500 });
    const delivery = await sink.next();
    expect(delivery.headers).toMatchObject({ "x-secret": "s", "x-open": "o" });
    expect(delivery.body.toString()).toBe("private");
    // A callback is a delivery, too.
    const callback: unknown = JSON.parse((await sink.next()).body.toString());
    expect(callback).toMatchObject({ sourceBody: Buffer.from("private").toString("base64") });

    const find = async () => (await client.dlq.listMessages({ filter: { messageId } })).messages[0];
    await eventually(find).toMatchObject({ ...shown, body: hash("private") });
    const { logs } = await client.logs({ messageIds: [messageId], count: 1 });
    expect(logs).toMatchObject([{ ...shown, body: Buffer.from(hash("private")).toString("base64") }]);

    // What a retry delivers is the original.
    const letter = await find();
    await client.dlq.retry(letter?.dlqId ?? "");
    expect((await sink.next()).body.toString()).toBe("private");
  });

  it.each(["header", "headers", "Body, Headers"])("may be all headers: %s", async (fields) => {
    const { client, request } = shared();
    const headers = { "upstash-redact-fields": fields, "upstash-forward-x-a": "a", "upstash-delay": "1h" };
    const response = await request("/v2/publish/http://127.0.0.1:9/", { method: "POST", headers, body: "b" });
    const { messageId }: { messageId: string } = await response.json();
    const message = await client.messages.get(messageId);
    expect(message.header).toEqual({ "Content-Type": [hash("text/plain;charset=UTF-8")], "X-A": [hash("a")] });
    expect(message.body).toBe(fields.includes("Body") ? hash("b") : "b");
  });

  it("hold for a schedule and the messages it makes", async () => {
    const clock = createManualClock();
    const { client } = await startTestBroker({ clock });
    const sink = await openSink();
    const { scheduleId } = await client.schedules.create({
      destination: sink.url,
      cron: "* * * * *",
      body: "private",
      redact: { body: true },
    });
    expect(await client.schedules.get(scheduleId)).toMatchObject({ body: hash("private") });
    await clock.advance(60_000);
    expect((await sink.next()).body.toString()).toBe("private");
    const { logs } = await client.logs({ filter: { scheduleId }, count: 1 });
    expect(logs).toMatchObject([{ body: Buffer.from(hash("private")).toString("base64") }]);
  });
});
