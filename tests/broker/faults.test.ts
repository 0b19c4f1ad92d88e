import { Client as Database } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";

import { createManualClock } from "../support/manual-clock.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { createDatabase, createGate, eventually, openSink, readStates, startTestBroker } from "./test-broker.ts";

describe("deduplication in batches", () => {
  it("with the same ids in another order deadlocks none of them", async () => {
    const { request } = await startTestBroker({ clock: createManualClock() });
    const ids = Array.from({ length: 20 }, (_, index) => `id-${index}`);
    const items = ids.map((id) => ({
      destination: "http://127.0.0.1:9/",
      headers: { "upstash-deduplication-id": id, "upstash-delay": "1h" },
    }));
    const batches = Array.from({ length: 60 }, (_, index) => {
      const turned = [...items.slice(index % 20), ...items.slice(0, index % 20)];
      return request("/v2/batch", {
        method: "POST",
        body: JSON.stringify(index % 2 === 0 ? turned : turned.toReversed()),
      });
    });
    const answers = await Promise.all(batches);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const messages: { messageId: string; deduplicated?: boolean }[][] = await Promise.all(
      answers.map((answer) => answer.json()),
    );
    expect(messages.flat().filter(({ deduplicated }) => !deduplicated)).toHaveLength(20);
    expect(new Set(messages.flat().map(({ messageId }) => messageId)).size).toBe(20);
  });

  it("finds duplicates within one batch, and takes ids of any length", async () => {
    const { client } = await startTestBroker({ clock: createManualClock() });
    const item = { url: "http://127.0.0.1:9/", delay: 60, deduplicationId: "x".repeat(5000) };
    const answers = await client.batch([{ ...item }, { ...item }]);
    const messageId = "messageId" in answers[0]! ? answers[0].messageId : "";
    expect(answers).toEqual([
      { messageId, url: item.url },
      { messageId, url: item.url, deduplicated: true },
    ]);
  });
});

describe("a batch with a value that cannot be stored", () => {
  it("gets an error in that value's place alone", async () => {
    const { request } = await startTestBroker({ clock: createManualClock() });
    const destination = "http://127.0.0.1:9/";
    const odd: Record<string, string>[] = [
      { "upstash-not-before": "9".repeat(15) },
      { "upstash-not-before": "9".repeat(30) },
      { "upstash-delay": `${"9".repeat(20)}d` },
      { "upstash-timeout": `${"9".repeat(20)}h` },
      { "upstash-retries": "99999999999" },
      { "upstash-callback": destination, "upstash-callback-timeout": `${"9".repeat(40)}s` },
      { "upstash-label": "\ud800" },
      { "upstash-forward-x": "a\u0000" },
      { "upstash-flow-control-key": "k", "upstash-flow-control-value": "rate=99999999999" },
    ];
    const items = [{}, ...odd, {}].map((headers) => ({ destination, headers: { "upstash-delay": "1h", ...headers } }));
    const response = await request("/v2/batch", { method: "POST", body: JSON.stringify(items) });
    expect(response.status).toBe(200);
    const accepted = { messageId: expect.any(String), url: destination };
    expect(await response.json()).toEqual([accepted, ...odd.map(() => ({ error: expect.any(String) })), accepted]);
  });
});

describe("a message whose outcome cannot be stored", () => {
  it("ends as dead without callbacks, and frees its slot", async () => {
    const databaseUrl = await createDatabase();
    const clock = createManualClock();
    const { client } = await startTestBroker({ databaseUrl, clock });
    const sink = await openSink();
    const callback = `${sink.url}/callback`;
    const { messageId } = await client.publish({ url: `${sink.url}/message`, delay: 60, callback });
    // What older versions accepted: a timeout that no bigint holds.
    await runIn(databaseUrl, `update messages set callback = jsonb_set(callback::jsonb, '{timeoutMs}', '1e40')`);
    await clock.advance(60_000);
    expect((await sink.next()).target).toBe("/message");
    await eventually(() => readStates(client, messageId)).toEqual(["CREATED", "ACTIVE", "ERROR", "FAILED"]);
    expect(sink.requests).toHaveLength(1);
    expect(await client.flowControl.getGlobalParallelism()).toMatchObject({ parallelismCount: 0 });
    expect((await client.dlq.listMessages()).messages).toMatchObject([
      { messageId, error: "the outcome of the last attempt could not be stored" },
    ]);
  });
});

describe("a message that is cancelled during its delivery", () => {
  it("is not logged as delivered", async () => {
    const { client, logged } = await startTestBroker();
    const gate = createGate();
    const sink = await openSink(() => gate.response);
    const { messageId } = await client.publish({ url: sink.url });
    await sink.next();
    await client.messages.cancel(messageId);
    gate.open();
    const finished = () => logged.find((line) => line.includes("broker.delivery_finished"));
    await eventually(finished).toBeDefined();
    expect(JSON.parse(finished() ?? "")).toMatchObject({ messageId, status: 200, state: "unrecorded" });
    expect(await readStates(client, messageId)).not.toContain("DELIVERED");
  });
});

describe("schedules that cannot be fired", () => {
  it("hold back no other schedule, and are tried again after a second", async () => {
    const databaseUrl = await createDatabase();
    const clock = createManualClock(Date.UTC(2026, 0, 1, 12, 0, 30));
    const { client, logged } = await startTestBroker({ databaseUrl, clock });
    const sink = await openSink();
    const broken = Array.from({ length: 12 }, (_, index) => `broken-${index}`);
    for (const scheduleId of [...broken, "sound"]) {
      await client.schedules.create({ scheduleId, destination: `${sink.url}/${scheduleId}`, cron: "1 12 * * *" });
    }
    // What older versions accepted: a timeout that no bigint holds.
    await runIn(
      databaseUrl,
      `update schedules set template = jsonb_set(template::jsonb, '{timeoutMs}', '1e40') where schedule_id <> 'sound'`,
    );
    const failures = () => logged.filter((line) => line.includes("broker.store_failed"));
    await clock.advance(30_000);
    expect((await sink.next()).target).toBe("/sound");
    await eventually(() => failures().length).toBe(12);
    for (const scheduleId of broken) expect(failures().join("\n")).toContain(`"${scheduleId}"`);
    // The round has ended when its timer is set; it is the only one below a minute.
    await eventually(async () => {
      await clock.advance(1000);
      return failures().length;
    }).toBeGreaterThanOrEqual(24);
    expect(sink.requests).toHaveLength(1);
  });
});

describe("callbacks", () => {
  it("inherit the retries of their message and the delay between them, unless they have their own", async () => {
    const { client, request } = await startTestBroker();
    const sink = await openSink(() => ({ status: 500 }));
    const headers = { "Upstash-Callback-Retries": "0" };
    const [callback, failureCallback] = [`${sink.url}/callback`, `${sink.url}/failure`];
    await client.publish({ url: sink.url, retries: 1, retryDelay: "1", callback, failureCallback, headers });
    await eventually(() => sink.requests.filter(({ target }) => target === "/failure").length).toBe(2);
    expect(sink.requests.filter(({ target }) => target === "/callback")).toHaveLength(2);
    const { logs }: { logs: { url: string; maxRetries: number }[] } = await (
      await request("/v2/logs?state=CREATED")
    ).json();
    expect(logs.find(({ url }) => url === failureCallback)).toMatchObject({ maxRetries: 1 });
    expect(logs.find(({ url }) => url === callback)).toMatchObject({ maxRetries: 0 });
  });
});

describe("a message that the broker does not know of", () => {
  it("is found within ten minutes, as is one that was left active", async () => {
    const databaseUrl = await createDatabase();
    const clock = createManualClock();
    const { client } = await startTestBroker({ databaseUrl, clock });
    const sink = await openSink();
    for (const path of ["/waiting", "/active"]) await client.publish({ url: sink.url + path, delay: 3600 });
    // As if the answers to the publish and to a claim had been lost.
    await runIn(databaseUrl, `update messages set due_at_ms = 0, state = substring(url from '/([a-z]+)$')`);
    await clock.advance(600_000);
    const targets = [(await sink.next()).target, (await sink.next()).target];
    expect(targets.toSorted()).toEqual(["/active", "/waiting"]);
  });
});

describe("a data folder of an older version", () => {
  it("goes on working: what waits is delivered, dead letters can be retried", async () => {
    const { url: databaseUrl, drop } = await createTestDatabase();
    onTestFinished(drop);
    const clock = createManualClock();
    const sink = await openSink();
    await runIn(databaseUrl, oldSchema);
    const insert = (id: string, state: string, extra: string) =>
      `insert into messages (message_id, state, due_at_ms, url, method, header, body, max_retries, not_before_ms,
         created_at_ms, labels, caller_ip, failed_at_ms, callback)
       values ('${id}', '${state}', ${clock.nowMs()}, '${sink.url}/${id}', 'POST', '{}', 'b', 3, 0, 0, '{}', '::1', ${extra})`;
    const callback = JSON.stringify({
      url: `${sink.url}/cb`,
      method: "POST",
      header: {},
      maxRetries: 0,
      timeoutMs: null,
    });
    await runIn(databaseUrl, insert("waiting", "waiting", `null, '${callback}'`));
    await runIn(databaseUrl, insert("active", "active", "null, null"));
    await runIn(databaseUrl, insert("dead", "dead", `${clock.nowMs()}, null`));

    const { client } = await startTestBroker({ databaseUrl, clock });
    const targets = [(await sink.next()).target, (await sink.next()).target, (await sink.next()).target];
    expect(targets.toSorted()).toEqual(["/active", "/cb", "/waiting"]);
    const { messages } = await client.dlq.listMessages();
    await client.dlq.retry(messages[0]?.dlqId ?? "");
    expect((await sink.next()).target).toBe("/dead");
  });
});

async function runIn(databaseUrl: string, statement: string): Promise<void> {
  const database = new Database({ connectionString: databaseUrl });
  await database.connect();
  await database.query(statement);
  await database.end();
}

/** The first migration, as it was released. */
const oldSchema = `
  create table broker_migrations (number integer primary key, applied_at timestamptz not null default now());
  insert into broker_migrations (number) values (1);
  create table messages (
    sequence bigint generated always as identity primary key,
    message_id text not null unique,
    state text not null check (state in ('waiting', 'active', 'dead')),
    due_at_ms bigint not null,
    retried integer not null default 0,
    url text not null,
    method text not null,
    header json not null,
    body bytea not null,
    max_retries integer not null,
    timeout_ms bigint,
    not_before_ms bigint not null,
    created_at_ms bigint not null,
    callback json,
    failure_callback json,
    labels text[] not null,
    caller_ip text not null,
    failed_at_ms bigint,
    response_status integer,
    response_header json,
    response_body bytea
  );
  create index messages_due on messages (due_at_ms, sequence) where state = 'waiting';
  create index messages_dead on messages (failed_at_ms, sequence) where state = 'dead';
  create table deduplications (
    deduplication_id text primary key, message_id text not null, expires_at_ms bigint not null
  );
  create table events (
    id bigint generated always as identity primary key,
    at_ms bigint not null,
    message_id text not null,
    state text not null,
    url text not null,
    method text not null,
    labels text[] not null,
    max_retries integer not null,
    caller_ip text not null,
    error text,
    next_delivery_at_ms bigint,
    response_status integer,
    response_header json,
    response_body bytea
  );
  create index events_message on events (message_id);`;
