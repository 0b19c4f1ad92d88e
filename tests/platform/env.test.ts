import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { type EnvName, otherQueueVariables, readEnv, readPathEnv, variables } from "#platform/env.ts";

const names = (Object.keys(variables) as EnvName[]).filter((name) => !(name in otherQueueVariables));
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

describe("readEnv()", () => {
  test("names every gap at once, and no value", () => {
    const record = { OPS_TOKEN: " ", PUBLISH_RETRIES: "secret-typo", QSTASH_URL: "ftp://secret" };
    expect(() => readEnv(record, ["OPS_TOKEN", "DATABASE_URL", "PUBLISH_RETRIES", "QSTASH_URL"])).toThrow(
      expect.objectContaining({
        code: "ENV_INVALID",
        message:
          "Configuration is incomplete: OPS_TOKEN is not set, DATABASE_URL is not set, PUBLISH_RETRIES is malformed, QSTASH_URL is malformed",
      }),
    );
  });

  test("asks only for what is named", () => {
    expect(readEnv({ INSTAGRAM_VERIFY_TOKEN: "t" }, ["INSTAGRAM_VERIFY_TOKEN"])).toEqual({
      INSTAGRAM_VERIFY_TOKEN: "t",
    });
  });

  test("takes SQS's region of its address, and Redis's variables as integrations set them", () => {
    const record = {
      SQS_QUEUE_URL: "https://sqs.eu-central-1.amazonaws.com/123456789012/Batches.fifo",
      UPSTASH_REDIS_REST_URL: "https://db.example/",
      UPSTASH_REDIS_REST_TOKEN: "token",
      KV_REST_API_URL: "https://other.example",
      KV_REST_API_TOKEN: "token of the other",
    };
    const integrated = ["SQS_QUEUE_URL", "SQS_REGION", "QUEUE_REDIS_REST_URL", "QUEUE_REDIS_REST_TOKEN"] as const;
    expect(readEnv(record, integrated)).toEqual({
      SQS_QUEUE_URL: record.SQS_QUEUE_URL,
      SQS_REGION: "eu-central-1",
      QUEUE_REDIS_REST_URL: "https://db.example",
      QUEUE_REDIS_REST_TOKEN: "token",
    });
    const own = { ...record, QUEUE_REDIS_REST_URL: "https://own.example" };
    expect(() => readEnv(own, ["QUEUE_REDIS_REST_TOKEN"])).toThrow("QUEUE_REDIS_REST_TOKEN is not set");
    const local = { SQS_QUEUE_URL: "http://127.0.0.1:4566/000000000000/batches" };
    expect(() => readEnv(local, ["SQS_REGION"])).toThrow("SQS_REGION is not set");
  });

  test("drops white space around a value", () => {
    expect(readEnv({ QSTASH_TOKEN: "token\n" }, ["QSTASH_TOKEN"])).toEqual({ QSTASH_TOKEN: "token" });
  });

  test.each([
    ["INSTAGRAM_APP_SECRET", "one, two,,", ["one", "two"]],
    ["QSTASH_URL", "https://qstash-us-east-1.upstash.io/", "https://qstash-us-east-1.upstash.io"],
    ["QSTASH_URL", undefined, "https://qstash.upstash.io"],
    ["RELAY_URL", "https://new.example/, http://127.0.0.1:3000", ["https://new.example", "http://127.0.0.1:3000"]],
    ["RELAY_URL", "https://Relay.Example:443//app//", ["https://relay.example/app"]],
    ["RELAY_URL", "HTTP://b\u00fccher.example:80", ["http://xn--bcher-kva.example"]],
    ["QSTASH_URL", "https://QStash.upstash.io//", "https://qstash.upstash.io"],
    ["ACK_MODE", undefined, { kind: "immediate" }],
    ["ACK_MODE", "durable", { kind: "durable" }],
    ["ACK_MODE", "race:3000", { kind: "race", limitMs: 3000 }],
    ["PUBLISH_TIMEOUT_MS", undefined, 3000],
    ["PUBLISH_RETRIES", "0", 0],
    ["REPORT_SAMPLE_RATE", "0.25", 0.25],
    ["VERCEL_AUTOMATION_BYPASS_SECRET", undefined, null],
    ["DATABASE_POOL_MAX", undefined, 5],
    ["REPORT_SAMPLE_RATE", undefined, 0.1],
    ["INGESTION_PARALLELISM", undefined, null],
    ["INGESTION_PARALLELISM", "50", 50],
    ["CRON_SECRET", undefined, null],
    ["OPS_TOKENS", undefined, []],
    [
      "OPS_TOKENS",
      `alice:read:${"a".repeat(32)}, ci-2:metrics:${"b".repeat(31)}:=`,
      [
        { name: "alice", role: "read", token: "a".repeat(32) },
        { name: "ci-2", role: "metrics", token: `${"b".repeat(31)}:=` },
      ],
    ],
    ["CRON_SECRET", "sixteen-letters-", "sixteen-letters-"],
    ["HANDLER_TIMEOUT_MS", undefined, 10_000],
    ["HANDLER_CONCURRENCY", "50", 50],
    ["HANDLER_RETRIES", "0", 0],
    ["UNSENT_MESSAGES", undefined, "erase"],
    ["UNSENT_MESSAGES", "keep", "keep"],
    ["PAYLOAD_RETENTION_DAYS", undefined, 0],
    ["DELIVERY_RETENTION_DAYS", undefined, 90],
    ["LOG_LEVEL", undefined, "info"],
    ["LOG_LEVEL", "debug", "debug"],
    ["DATABASE_URL", "postgres://u:p@db.example/x?sslmode=require", "postgres://u:p@db.example/x?sslmode=require"],
    ["DATABASE_URL", "postgresql://u@/x?host=/var/run", "postgresql://u@/x?host=/var/run"],
  ] as const)("reads %s=%s", (name, value, expected) => {
    expect(readEnv({ [name]: value }, [name])).toEqual({ [name]: expected });
  });

  test.each([
    ["INSTAGRAM_APP_SECRET", ","],
    ["RELAY_URL", "https://a.example,nonsense"],
    ["RELAY_URL", "https://a.example?x=1"],
    ["ACK_MODE", "race:"],
    ["ACK_MODE", "race:4501"],
    ["PUBLISH_BUDGET_MS", "9001"],
    ["FALLBACK_BUDGET_MS", "5001"],
    ["QSTASH_TOKEN", "two\nlines"],
    ["QSTASH_URL", "https://user:password@qstash.upstash.io"],
    ["ACK_MODE", "sometimes"],
    ["PUBLISH_TIMEOUT_MS", "0"],
    ["PUBLISH_TIMEOUT_MS", "3s"],
    ["REPORT_SAMPLE_RATE", "2"],
    ["DATABASE_POOL_MAX", "0"],
    ["INGESTION_PARALLELISM", "0"],
    ["CRON_SECRET", "fifteen-letters"],
    ["OPS_TOKENS", "a".repeat(32)],
    ["OPS_TOKENS", `alice:read:${"a".repeat(31)}`],
    ["OPS_TOKENS", `alice:owner:${"a".repeat(32)}`],
    ["OPS_TOKENS", `Alice:read:${"a".repeat(32)}`],
    ["OPS_TOKENS", `ops:read:${"a".repeat(32)}`],
    ["OPS_TOKENS", `alice:read:${"a".repeat(32)},`],
    ["OPS_TOKENS", `alice:read:${"a".repeat(32)} ${"a".repeat(32)}`],
    ["OPS_TOKENS", `alice:read:${"a".repeat(32)},alice:admin:${"b".repeat(32)}`],
    ["OPS_TOKENS", `alice:read:${"a".repeat(32)},bob:admin:${"a".repeat(32)}`],
    ["HANDLER_TIMEOUT_MS", "50001"],
    ["HANDLER_CONCURRENCY", "0"],
    ["HANDLER_RETRIES", "9"],
    ["UNSENT_MESSAGES", "Erase"],
    ["DELIVERY_RETENTION_DAYS", "0"],
    ["LOG_LEVEL", "verbose"],
    ["DATABASE_URL", "mysql://u:p@db.example/x"],
    ["DATABASE_URL", "db.example"],
    ["DATABASE_URL", "postgres://"],
    ["DATABASE_URL", "postgres://u:p#@db.example:port/x"],
  ] as const)("refuses %s=%s", (name, value) => {
    expect(() => readEnv({ [name]: value }, [name])).toThrow(`${name} is malformed`);
  });

  test.each(["OPS_TOKEN", "RELAY_SECRET"] as const)("refuses a %s of fewer than 32 characters", (name) => {
    expect(() => readEnv({ [name]: "a".repeat(31) }, [name])).toThrow(`${name} is shorter than 32 characters`);
  });

  test("takes secrets of 32 characters, and several for RELAY_SECRET", () => {
    const [first, second] = ["a".repeat(32), "b".repeat(32)];
    expect(readEnv({ OPS_TOKEN: first }, ["OPS_TOKEN"])).toEqual({ OPS_TOKEN: first });
    const both = { RELAY_SECRET: `${first}, ${second}` };
    expect(readEnv(both, ["RELAY_SECRET"])).toEqual({ RELAY_SECRET: [first, second] });
  });

  test("refuses a list with a short RELAY_SECRET", () => {
    const record = { RELAY_SECRET: `${"a".repeat(32)},short` };
    expect(() => readEnv(record, ["RELAY_SECRET"])).toThrow("RELAY_SECRET is shorter than 32 characters");
  });

  test("takes Vercel's addresses for RELAY_URL, the production domain first", () => {
    const record = {
      VERCEL_ENV: "production",
      VERCEL_PROJECT_PRODUCTION_URL: "relay.example",
      VERCEL_URL: "relay-1.vercel.app",
    };
    expect(readEnv(record, ["RELAY_URL"]).RELAY_URL).toEqual(["https://relay.example", "https://relay-1.vercel.app"]);
    expect(() => readEnv({}, ["RELAY_URL"])).toThrow("RELAY_URL is not set");
    expect(readEnv({ VERCEL_URL: "B\u00fccher.example" }, ["RELAY_URL"]).RELAY_URL).toEqual([
      "https://xn--bcher-kva.example",
    ]);
  });
});

describe("readPathEnv()", () => {
  test("names what would make the webhook refuse, or keep an acknowledged delivery from arriving", () => {
    const record = {
      INSTAGRAM_APP_SECRET: "s",
      INSTAGRAM_VERIFY_TOKEN: "t",
      QSTASH_CURRENT_SIGNING_KEY: "k",
      RELAY_URL: "https://relay.example",
      RELAY_SECRET: "relay-secret-of-thirty-two-characters",
      DATABASE_URL: "postgres://h/d",
      ACK_MODE: "sometimes",
    };
    const gaps = "ACK_MODE is malformed, QSTASH_TOKEN is not set, QSTASH_NEXT_SIGNING_KEY is not set";
    expect(() => readPathEnv(record, "qstash")).toThrow(`Configuration is incomplete: ${gaps}`);
    const whole = { ...record, ACK_MODE: "durable", QSTASH_TOKEN: "q", QSTASH_NEXT_SIGNING_KEY: "k" };
    expect(readPathEnv(whole, "qstash").ACK_MODE).toEqual({ kind: "durable" });
  });
});

describe("the documents", () => {
  test(".env.example names the same variables in the same order", () => {
    const named = [...read(".env.example").matchAll(/^#?\s*([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name);
    expect(named).toEqual(names);
  });

  test("the README's table names the same variables in the same order", () => {
    const table = read("README.md").split("## Environment")[1]?.split("\n## ")[0] ?? "";
    const named = [...table.matchAll(/^\| `([A-Z][A-Z0-9_]+)`/gm)].map(([, name]) => name);
    expect(named).toEqual(names);
  });

  test("the tables of docs/QUEUES.md name the other queues' variables in the same order", () => {
    const named = [...read("docs/QUEUES.md").matchAll(/^\| `([A-Z][A-Z0-9_]+)`/gm)].map(([, name]) => name);
    expect(named).toEqual(Object.keys(otherQueueVariables));
  });
});
