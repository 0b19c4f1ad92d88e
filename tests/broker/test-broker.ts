import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";

import { Client, Receiver } from "@upstash/qstash";
import { beforeAll, expect, onTestFinished } from "vitest";

import { type Broker, type BrokerOptions, startBroker } from "#broker/broker.ts";
import { systemClock } from "#platform/clock.ts";
import { createLog } from "#platform/log.ts";

import { type Respond, type Sink, type SinkResponse, startSink } from "../support/http-sink.ts";
import { createMigratedDatabase } from "../support/postgres.ts";

export const keys = { token: "test-token", currentSigningKey: "sig_current", nextSigningKey: "sig_next" };

export interface TestBroker {
  broker: Broker;
  databaseUrl: string;
  /** Every line logged so far. */
  logged: string[];
  /** The SDK as users have it. */
  client: Client;
  receiver: Receiver;
  /** A plain request to the broker, with the token. */
  request: (path: string, init?: RequestInit) => Promise<Response>;
}

type CleanUp = (cleanUp: () => Promise<void>) => void;

/** A broker on a database of its own, unless one is given; both are gone when the test ends. */
export async function startTestBroker(
  options: Partial<BrokerOptions> = {},
  atEnd: CleanUp = onTestFinished,
): Promise<TestBroker> {
  const logged: string[] = [];
  const databaseUrl = options.databaseUrl ?? (await createDatabase(atEnd));
  const broker = await startBroker({
    ...keys,
    databaseUrl,
    host: "127.0.0.1",
    port: 0,
    clock: systemClock,
    newId: randomUUID,
    log: createLog({ clock: systemClock, write: (_level, line) => logged.push(line) }),
    ...options,
  });
  broker.startDispatching();
  atEnd(() => broker.stop(0));
  return { broker, databaseUrl, logged, ...connect(broker.url) };
}

/** One broker for all tests of a `describe` block that leave nothing behind in it. */
export function shareBroker(): () => TestBroker {
  let shared: TestBroker | undefined;
  beforeAll(async () => {
    const cleanUps: (() => Promise<void>)[] = [];
    shared = await startTestBroker({}, (cleanUp) => cleanUps.unshift(cleanUp));
    return async () => {
      for (const cleanUp of cleanUps) await cleanUp();
    };
  });
  return () => {
    if (!shared) throw new Error("The broker is there once the tests run");
    return shared;
  };
}

/** The SDK and a plain request for the broker at `url`. */
export function connect(url: string): Pick<TestBroker, "client" | "receiver" | "request"> {
  return {
    client: new Client({ baseUrl: url, token: keys.token, devMode: false, retry: false }),
    receiver: new Receiver({ ...keys, devMode: false }),
    request: (path, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set("authorization", `Bearer ${keys.token}`);
      return fetch(url + path, { ...init, headers });
    },
  };
}

/** A broker's database, without messages, that is dropped when the test ends. */
export async function createDatabase(atEnd: CleanUp = onTestFinished): Promise<string> {
  const database = await createMigratedDatabase("broker");
  atEnd(() => database.drop());
  return database.url;
}

/** A receiver that is closed when the test ends. */
export async function openSink(respond?: Respond): Promise<Sink> {
  const sink = await startSink(respond ? { respond } : {});
  onTestFinished(() => sink.close());
  return sink;
}

/** A response that is held back until the test opens the gate. */
export function createGate(): { response: Promise<SinkResponse>; open(response?: SinkResponse): void } {
  const opened = new EventEmitter();
  const response = once(opened, "open").then(([answer]): SinkResponse => answer);
  return { response, open: (answer = {}) => void opened.emit("open", answer) };
}

/** Waits for a state that is reached by itself, with patience for a busy machine. */
export function eventually<T>(read: () => T | Promise<T>): ReturnType<typeof expect.poll<T>> {
  return expect.poll(read, { interval: 10, timeout: 15_000 });
}

/** The states a message went through, oldest first. */
export async function readStates(client: Client, messageId: string): Promise<string[]> {
  const { logs } = await client.logs({ messageIds: [messageId] });
  return logs.map((log): string => log.state).toReversed();
}
