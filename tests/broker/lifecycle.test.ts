import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { Client as Database } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";

import { startBroker } from "#broker/broker.ts";
import { systemClock } from "#platform/clock.ts";
import { createLog } from "#platform/log.ts";

import { bundle } from "../support/bundle.ts";
import { createManualClock } from "../support/manual-clock.ts";
import {
  connect,
  createDatabase,
  createGate,
  eventually,
  keys,
  openSink,
  readStates,
  startTestBroker,
} from "./test-broker.ts";

describe("a crash", () => {
  it("loses no message that was accepted", async () => {
    const databaseUrl = await createDatabase();
    const child = await startBrokerProcess(databaseUrl);
    const sink = await openSink();
    const accepted = new Set<string>();
    const publishUntilDead = async () => {
      for (;;) {
        const { messageId } = await connect(child.url).client.publish({ url: sink.url });
        accepted.add(messageId);
        if (accepted.size === 100) child.process.kill("SIGKILL");
      }
    };
    await Promise.allSettled(Array.from({ length: 20 }, publishUntilDead));
    expect(accepted.size).toBeGreaterThanOrEqual(100);

    await startTestBroker({ databaseUrl });
    const missing = () => {
      const delivered = new Set(sink.requests.map(({ headers }) => String(headers["upstash-message-id"])));
      return [...accepted].filter((messageId) => !delivered.has(messageId));
    };
    await eventually(missing).toEqual([]);
  });

  it("during a delivery makes the message due again", async () => {
    const databaseUrl = await createDatabase();
    const child = await startBrokerProcess(databaseUrl);
    const sink = await openSink((_request, index) => (index === 0 ? new Promise(() => {}) : {}));
    const { messageId } = await connect(child.url).client.publish({ url: sink.url, body: "kept" });
    await sink.next();
    child.process.kill("SIGKILL");
    await once(child.process, "exit");

    const { client } = await startTestBroker({ databaseUrl });
    const delivery = await sink.next();
    expect(delivery.headers).toMatchObject({ "upstash-message-id": messageId, "upstash-retried": "0" });
    expect(delivery.body.toString()).toBe("kept");
    await eventually(() => readStates(client, messageId)).toEqual(["CREATED", "ACTIVE", "ACTIVE", "DELIVERED"]);
  });
});

describe("a message that nothing holds back", () => {
  it("is under way when its publish is answered", async () => {
    const { client } = await startTestBroker();
    const gate = createGate();
    const sink = await openSink(() => gate.response);
    let messageId = "";
    // While the broker still looks for others of an address that it has just met, a message waits for that.
    await eventually(async () => {
      messageId = (await client.publish({ url: sink.url })).messageId;
      return readStates(client, messageId);
    }).toEqual(["CREATED", "ACTIVE"]);
    gate.open();
    await eventually(() => readStates(client, messageId)).toEqual(["CREATED", "ACTIVE", "DELIVERED"]);
  });

  it("waits behind others of its address that wait for room", async () => {
    const { client } = await startTestBroker();
    const gate = createGate();
    const sink = await openSink(() => gate.response);
    // Half of the 128 slots.
    await client.batch(Array.from({ length: 80 }, () => ({ url: sink.url })));
    await eventually(() => sink.requests.length).toBe(64);
    const { messageId } = await client.publish({ url: sink.url });
    expect(await readStates(client, messageId)).toEqual(["CREATED"]);
    gate.open();
    await eventually(() => readStates(client, messageId)).toEqual(["CREATED", "ACTIVE", "DELIVERED"]);
  });

  it("is accepted once by its deduplication id, and a duplicate takes no slot", async () => {
    const { broker, client } = await startTestBroker();
    const sink = await openSink();
    const publish = () => client.publish({ url: sink.url, deduplicationId: "once" });
    const first = await publish();
    expect(await publish()).toMatchObject({ messageId: first.messageId, deduplicated: true });
    await eventually(() => readStates(client, first.messageId)).toEqual(["CREATED", "ACTIVE", "DELIVERED"]);
    await broker.stop();
    expect(sink.requests).toHaveLength(1);
  });
});

describe("a restart", () => {
  it("keeps what is not due yet", async () => {
    const clock = createManualClock();
    const databaseUrl = await createDatabase();
    const first = await startTestBroker({ databaseUrl, clock });
    const sink = await openSink();
    await first.client.publish({ url: sink.url, delay: 3600 });
    await first.broker.stop();

    await startTestBroker({ databaseUrl, clock });
    await clock.advance(3_599_999);
    expect(sink.requests).toHaveLength(0);
    await clock.advance(1);
    await sink.next();
  });
});

describe("stopDispatching", () => {
  it("waits for what is in flight and starts nothing more, while publishing goes on", async () => {
    const { broker, client } = await startTestBroker();
    const gate = createGate();
    const sink = await openSink(() => gate.response);
    const first = await client.publish({ url: sink.url });
    await sink.next();

    let stopped = false;
    const stopping = broker.stopDispatching().then(() => (stopped = true));
    const second = await client.publish({ url: sink.url });
    expect(stopped).toBe(false);
    gate.open();
    await stopping;
    expect(await readStates(client, first.messageId)).toEqual(["CREATED", "ACTIVE", "DELIVERED"]);
    expect(await readStates(client, second.messageId)).toEqual(["CREATED"]);
    expect(sink.requests).toHaveLength(1);
  });

  it("aborts after the grace time what is left, and leaves it due", async () => {
    const clock = createManualClock();
    const databaseUrl = await createDatabase();
    const { broker, client } = await startTestBroker({ databaseUrl, clock });
    const sink = await openSink((_request, index) => (index === 0 ? new Promise(() => {}) : {}));
    const { messageId } = await client.publish({ url: sink.url });
    await sink.next();
    const stopping = broker.stopDispatching(3000);
    await clock.advance(3000);
    await stopping;
    expect(await readStates(client, messageId)).toEqual(["CREATED", "ACTIVE"]);
    await broker.stop();

    await startTestBroker({ databaseUrl, clock });
    expect((await sink.next()).headers).toMatchObject({ "upstash-message-id": messageId, "upstash-retried": "0" });
  });
});

describe("starting", () => {
  it("delivers nothing before it is told to, and then what had come until then, with no attempt lost", async () => {
    const logged: string[] = [];
    const broker = await startBroker({
      ...keys,
      databaseUrl: await createDatabase(),
      host: "127.0.0.1",
      port: 0,
      clock: systemClock,
      newId: randomUUID,
      log: createLog({ clock: systemClock, write: (_level, line) => logged.push(line) }),
    });
    onTestFinished(() => broker.stop(0));
    const { client } = connect(broker.url);
    const sink = await openSink();
    // More than one, so that the second publish would have given an early dispatcher its turn.
    const ids = [];
    for (let count = 0; count < 3; count += 1) {
      ids.push((await client.publish({ url: sink.url, retries: 0 })).messageId);
    }
    expect(logged.filter((line) => line.includes("broker.delivery_started"))).toEqual([]);
    expect(sink.requests).toEqual([]);

    broker.startDispatching();
    const delivered = [await sink.next(), await sink.next(), await sink.next()];
    expect(delivered.map(({ headers }) => String(headers["upstash-message-id"])).toSorted()).toEqual(ids.toSorted());
    expect(delivered.map(({ headers }) => headers["upstash-retried"])).toEqual(["0", "0", "0"]);
  });

  it("says that the port is in use", async () => {
    const { broker } = await startTestBroker();
    await expect(startTestBroker({ port: broker.port })).rejects.toMatchObject({
      message: `The broker cannot listen on 127.0.0.1:${broker.port}: the port is in use`,
      cause: { code: "EADDRINUSE" },
    });
  });

  it("fails if the database is not there", async () => {
    await expect(startTestBroker({ databaseUrl: "postgres://127.0.0.1:1/none" })).rejects.toThrow("ECONNREFUSED");
  });
});

describe("a database that goes away for a moment", () => {
  it("stops nothing for good", async () => {
    const clock = createManualClock();
    const databaseUrl = await createDatabase();
    const { client } = await startTestBroker({ databaseUrl, clock });
    const gate = createGate();
    const sink = await openSink((_request, index) => (index === 0 ? gate.response : {}));
    const first = await client.publish({ url: sink.url });
    await sink.next();
    await cutConnections(databaseUrl);
    gate.open();
    await clock.advance(1000);
    await clock.advance(1000);
    await eventually(() => readStates(client, first.messageId)).toContain("DELIVERED");
    const second = await client.publish({ url: sink.url });
    expect((await sink.next()).headers["upstash-message-id"]).toBe(second.messageId);
  });
});

async function startBrokerProcess(databaseUrl: string): Promise<{ url: string; process: ChildProcess }> {
  const script = await bundle(new URL("broker-process.ts", import.meta.url));
  const child = spawn(process.execPath, [script, databaseUrl], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const [url]: string[] = await once(createInterface({ input: child.stdout }), "line");
  return { url: url ?? "", process: child };
}

/** What a restart of Postgres does to its clients. */
async function cutConnections(databaseUrl: string): Promise<void> {
  const database = new Database({ connectionString: databaseUrl });
  await database.connect();
  await database.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
  );
  await database.end();
}
