import { describe, expect, test } from "vitest";

import type { Secrets } from "#local/secrets.ts";
import { baseUrlOf, readSettings } from "#local/settings.ts";
import { requireConfiguration } from "#cli/require-configuration.ts";
import { completeEnvironment, planStart } from "#local/start-environment.ts";

const settings = readSettings({}, "/checkout");
const secrets = new Proxy({} as Secrets, { get: (_, name) => `secret ${String(name)}` });

const complete = (env: Record<string, string>) => completeEnvironment(env, planStart(env, settings), secrets);

test("an empty environment is filled with the secrets and the addresses of this machine", () => {
  expect(settings).toEqual({ port: 3000, qstashPort: 8080, host: "127.0.0.1", dataDir: "/checkout/.data" });
  expect(planStart({}, settings)).toEqual({
    queueName: "qstash",
    needsBroker: true,
    needsTimers: false,
    needsPostgres: true,
    baseUrl: "http://127.0.0.1:3000",
    brokerUrl: "http://127.0.0.1:8080",
  });
  expect(complete({})).toMatchObject({
    INSTAGRAM_APP_SECRET: "secret INSTAGRAM_APP_SECRET",
    QSTASH_NEXT_SIGNING_KEY: "secret QSTASH_NEXT_SIGNING_KEY",
    RELAY_URL: "http://127.0.0.1:3000",
    QSTASH_URL: "http://127.0.0.1:8080",
  });
});

test("a variable that is set stays, and a blank one is filled", () => {
  const env = complete({ OPS_TOKEN: "mine", RELAY_URL: "https://relay.example", RELAY_SECRET: " " });
  expect(env).toMatchObject({
    OPS_TOKEN: "mine",
    RELAY_URL: "https://relay.example",
    RELAY_SECRET: "secret RELAY_SECRET",
  });
});

test("with the real QStash no broker is needed, and no keys are generated for it", () => {
  const env = { QSTASH_TOKEN: "real" };
  const plan = planStart(env, settings);
  expect(plan).toMatchObject({ needsBroker: false, needsPostgres: true });
  expect(complete(env)["QSTASH_CURRENT_SIGNING_KEY"]).toBeUndefined();
  expect(complete(env)["QSTASH_URL"]).toBeUndefined();
  const both = { ...env, DATABASE_URL: "postgresql://elsewhere/db" };
  expect(planStart(both, settings).needsPostgres).toBe(false);
  expect(planStart({ DATABASE_URL: "postgresql://elsewhere/db" }, settings).needsPostgres).toBe(true);
});

test("with another queue no broker is needed, and the start calls maintenance itself", () => {
  const env = { QUEUE: "postgres" };
  expect(planStart(env, settings)).toMatchObject({ needsBroker: false, needsTimers: true, needsPostgres: true });
  expect(complete(env)).toMatchObject({ CRON_SECRET: "secret CRON_SECRET", RELAY_URL: "http://127.0.0.1:3000" });
  expect(complete(env)["QSTASH_TOKEN"]).toBeUndefined();
  expect(complete({})["CRON_SECRET"]).toBeUndefined();
});

test.each(["0.0.0.0", "::", "192.168.1.5"])("HOST=%s applies to the server and not to the broker", (HOST) => {
  const env = { HOST };
  const given = readSettings(env, "/checkout");
  expect(planStart(env, given).brokerUrl).toBe("http://127.0.0.1:8080");
  expect(completeEnvironment(env, planStart(env, given), secrets)["QSTASH_URL"]).toBe("http://127.0.0.1:8080");
});

describe("requireConfiguration()", () => {
  const good = { ...complete({}), DATABASE_URL: "postgresql://embedded", QSTASH_TOKEN: "token" };
  for (const name of ["RELAY_SECRET", "OPS_TOKEN"]) Object.assign(good, { [name]: name.padEnd(32, "-") });

  test("accepts a usable environment", () => {
    expect(() => requireConfiguration(good)).not.toThrow();
    expect(() => requireConfiguration({ ...good, ACK_MODE: "race:3000", PUBLISH_RETRIES: "0" })).not.toThrow();
  });

  test("names the queues there are, and no variable of one, where QUEUE names another", () => {
    expect(() => requireConfiguration({ ...good, QUEUE: "rabbit", QSTASH_TOKEN: "" })).toThrow(
      /deliveries or operators\.\n {2}QUEUE: malformed\. It must be: one of qstash, sqs, .*\. Correct it\..*$/,
    );
  });

  test("names all unusable variables at once, with the remedy and without a value", () => {
    const bad = {
      ACK_MODE: "sometimes",
      PUBLISH_RETRIES: "three",
      QSTASH_TOKEN: "",
      QSTASH_NEXT_SIGNING_KEY: "",
      RELAY_SECRET: "short-one",
      OPS_TOKEN: "ab-cd",
      RELAY_URL: "relay.example",
      DATABASE_URL: "mysql://user:pass-word@db.example/x",
    };
    let message = "";
    try {
      requireConfiguration({ ...good, ...bad });
    } catch (error) {
      message = String(error);
    }
    for (const [name, value] of Object.entries(bad)) {
      expect(message).toMatch(new RegExp(`^  ${name}: (malformed|not set|set, but not a Postgres URL)\\. .+`, "m"));
      expect(message).not.toContain(value === "" ? "a value that is not there" : value);
    }
    expect(message.split("\n")).toHaveLength(1 + Object.keys(bad).length);
    expect(message).toContain("race:<ms>");
  });

  test.each(["mysql://u:p@h/x", "nonsense", "postgres://", "http://db.example/x", "postgres://u:p:#@db/x"])(
    "DATABASE_URL=%s is no address of a Postgres",
    (DATABASE_URL) => {
      expect(() => requireConfiguration({ ...good, DATABASE_URL })).toThrow(/^ {2}DATABASE_URL: .*Postgres/m);
    },
  );
});

test.each(["0", "65536", "http", "-1", "3.5"])("PORT=%s is refused in one sentence", (PORT) => {
  expect(() => readSettings({ PORT }, "/checkout")).toThrow(/^PORT must be a port from 1 to 65535, not /);
});

test("equal ports are refused in one sentence", () => {
  expect(() => readSettings({ PORT: "8080" }, "/checkout")).toThrow("PORT and QSTASH_PORT are both 8080");
});

test.each([
  ["127.0.0.1", "http://127.0.0.1:80"],
  ["0.0.0.0", "http://127.0.0.1:80"],
  ["::", "http://[::1]:80"],
  ["fe80::1", "http://[fe80::1]:80"],
  ["localhost", "http://localhost:80"],
])("a server that listens on %s is reached at %s", (host, url) => {
  expect(baseUrlOf(host, 80)).toBe(url);
});
