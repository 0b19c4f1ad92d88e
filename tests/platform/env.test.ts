import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { type EnvName, readEnv, variables } from "#platform/env.ts";

const names = Object.keys(variables) as EnvName[];
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

  test("drops white space around a value", () => {
    expect(readEnv({ QSTASH_TOKEN: "token\n" }, ["QSTASH_TOKEN"])).toEqual({ QSTASH_TOKEN: "token" });
  });

  test.each([
    ["INSTAGRAM_APP_SECRET", "one, two,,", ["one", "two"]],
    ["QSTASH_URL", "https://qstash-us-east-1.upstash.io/", "https://qstash-us-east-1.upstash.io"],
    ["QSTASH_URL", undefined, "https://qstash.upstash.io"],
    ["RELAY_URL", "https://new.example/, http://127.0.0.1:3000", ["https://new.example", "http://127.0.0.1:3000"]],
    ["ACK_MODE", undefined, { kind: "immediate" }],
    ["ACK_MODE", "durable", { kind: "durable" }],
    ["ACK_MODE", "race:3000", { kind: "race", limitMs: 3000 }],
    ["PUBLISH_TIMEOUT_MS", undefined, 3000],
    ["PUBLISH_RETRIES", "0", 0],
    ["REPORT_SAMPLE_RATE", "0.25", 0.25],
    ["VERCEL_AUTOMATION_BYPASS_SECRET", undefined, null],
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
  ] as const)("refuses %s=%s", (name, value) => {
    expect(() => readEnv({ [name]: value }, [name])).toThrow(`${name} is malformed`);
  });

  test.each(["OPS_TOKEN", "RELAY_SECRET"] as const)("refuses a %s of fewer than 32 characters", (name) => {
    expect(() => readEnv({ [name]: "a".repeat(31) }, [name])).toThrow(`${name} is shorter than 32 characters`);
    expect(readEnv({ [name]: "a".repeat(32) }, [name])).toEqual({ [name]: "a".repeat(32) });
  });

  test("takes Vercel's addresses for RELAY_URL, the production domain first", () => {
    const record = {
      VERCEL_ENV: "production",
      VERCEL_PROJECT_PRODUCTION_URL: "relay.example",
      VERCEL_URL: "relay-1.vercel.app",
    };
    expect(readEnv(record, ["RELAY_URL"]).RELAY_URL).toEqual(["https://relay.example", "https://relay-1.vercel.app"]);
    expect(() => readEnv({}, ["RELAY_URL"])).toThrow("RELAY_URL is not set");
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
});
