import { describe, expect, test } from "vitest";

import { diagnoseEnv as diagnose } from "#diagnostics/diagnose-env.ts";
import { type EnvName, type EnvRecord, otherQueuesVariables, readEnv, variables } from "#platform/env.ts";
import { queueNames } from "#platform/queue-name.ts";

import { find, goodEnvironment, troubles } from "./environment.ts";

const names = Object.keys(variables);
const diagnoseEnv = (record: EnvRecord) => diagnose(record, { built: null });

describe("diagnoseEnv()", () => {
  test("finds no mistake in a good configuration, and names every variable once", () => {
    const diagnosis = diagnoseEnv(goodEnvironment);
    expect(troubles(diagnosis)).toEqual([]);
    expect(diagnosis.ok).toBe(true);
    const foreign = otherQueuesVariables("qstash");
    expect(diagnosis.checks.map(({ name }) => name)).toEqual(names.filter((name) => !foreign.has(name as EnvName)));
    expect(diagnosis.queue).toBe("qstash");
    expect(find(diagnosis, "QSTASH_TOKEN").detail).toBe("set");
    expect(find(diagnosis, "ACK_MODE").detail).toBe("not set: the default");
  });

  test("names every missing variable, with what does not work and where to get it", () => {
    const diagnosis = diagnoseEnv({ OPS_TOKEN: " \n" });
    expect(diagnosis.ok).toBe(false);
    const missing = diagnosis.checks.filter(({ detail }) => detail === "not set").map(({ name }) => name);
    expect(missing).toEqual(expect.arrayContaining(["INSTAGRAM_APP_SECRET", "QSTASH_TOKEN", "RELAY_URL", "OPS_TOKEN"]));
    expect(troubles(diagnosis)).toEqual(missing.map((name) => `${name}: failed not set`));
    expect(() => readEnv({}, missing as EnvName[])).toThrow(missing.map((name) => `${name} is not set`).join(", "));
    for (const { cause, remedy } of diagnosis.checks.filter(({ status }) => status === "failed")) {
      expect([cause, remedy]).toEqual([expect.any(String), expect.any(String)]);
    }
  });

  test.each<[string, Record<string, string>, unknown]>([
    ["a trailing newline", { QSTASH_TOKEN: "eyJ0b2tlbg==\n" }, "QSTASH_TOKEN: warning set, with white space around it"],
    ["quotes", { OPS_TOKEN: `"${goodEnvironment.OPS_TOKEN}"` }, "OPS_TOKEN: failed set, in quotes"],
    ["a whole line", { RELAY_SECRET: "RELAY_SECRET=x" }, "RELAY_SECRET: failed set to a whole line of an .env file"],
    ["an empty item", { RELAY_URL: "https://a.example,," }, "RELAY_URL: warning set, with an empty item in the list"],
    ["a malformed value", { ACK_MODE: "race:9000" }, "ACK_MODE: failed malformed"],

    ["a signing key as token", { QSTASH_TOKEN: "sig_key" }, "QSTASH_TOKEN: failed set to a signing key"],
    [
      "a scheme before it",
      { QSTASH_TOKEN: "Bearer eyJ" },
      expect.stringMatching(/^QSTASH_TOKEN: failed set, with a character that/),
    ],
    ["a token as key", { QSTASH_NEXT_SIGNING_KEY: "eyJ0b2tlbg==" }, "QSTASH_NEXT_SIGNING_KEY: failed set to a token"],
    [
      "one key twice",
      { QSTASH_NEXT_SIGNING_KEY: goodEnvironment.QSTASH_CURRENT_SIGNING_KEY },
      "QSTASH_NEXT_SIGNING_KEY: warning set to the same value as QSTASH_CURRENT_SIGNING_KEY",
    ],
    [
      "the public key",
      { QSTASH_CURRENT_SIGNING_KEY: "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r" },
      "QSTASH_CURRENT_SIGNING_KEY: failed set to the public value of QStash's development server",
    ],
    ["an access token", { INSTAGRAM_APP_SECRET: "IGAAx" }, "INSTAGRAM_APP_SECRET: failed set to an access token"],
    ["a user token", { INSTAGRAM_APP_SECRET: "EAAx" }, "INSTAGRAM_APP_SECRET: failed set to an access token"],
    ["an app id", { INSTAGRAM_APP_SECRET: "17841400000" }, "INSTAGRAM_APP_SECRET: failed set to an app id"],
    ["no hex digits", { INSTAGRAM_APP_SECRET: "xyz" }, "INSTAGRAM_APP_SECRET: warning set, but not to 32 hex digits"],
    ["a short secret", { OPS_TOKEN: "short" }, "OPS_TOKEN: failed malformed"],
    ["a short access token", { INSTAGRAM_ACCESS_TOKEN: "IGAA" }, "INSTAGRAM_ACCESS_TOKEN: failed malformed"],
    [
      "a shared one",
      { OPS_TOKEN: goodEnvironment.RELAY_SECRET },
      "OPS_TOKEN: warning set to the same value as another secret",
    ],

    [
      "the API's path",
      { QSTASH_URL: "https://qstash.upstash.io/v2/publish" },
      "QSTASH_URL: failed set, with a path of QStash's API",
    ],
    ["a Redis", { QSTASH_URL: "https://eu1-cat-1.upstash.io" }, "QSTASH_URL: failed set to another product of Upstash"],
    ["no TLS", { QSTASH_URL: "http://qstash.upstash.io" }, "QSTASH_URL: failed set, without https"],
    [
      "a local relay",
      { RELAY_URL: "http://localhost:3000" },
      "RELAY_URL: failed set to an address that QStash cannot reach",
    ],
    [
      "a private one",
      { RELAY_URL: "https://[fd00::1]" },
      "RELAY_URL: failed set to an address that QStash cannot reach",
    ],
    [
      "a route's path",
      { RELAY_URL: "https://a.example/api/qstash/instagram-ingestion" },
      "RELAY_URL: failed set, with the path of a route",
    ],
    ["a path", { RELAY_URL: "https://a.example/relay" }, "RELAY_URL: warning set, with a path"],
    ["plain http", { RELAY_URL: "http://a.example" }, "RELAY_URL: warning set, without https"],
    ["plain http on Vercel", { RELAY_URL: "http://a.example", VERCEL: "1" }, "RELAY_URL: failed set, without https"],
    [
      "localhost on Vercel",
      { DATABASE_URL: "postgres://u:p@127.0.0.1/x", VERCEL: "1" },
      "DATABASE_URL: failed set to localhost",
    ],
    ["MySQL", { DATABASE_URL: "mysql://u:p@db.example/x" }, "DATABASE_URL: failed set, but not a Postgres URL"],
    ["a bare #", { DATABASE_URL: "postgres://u:p:#@db/x" }, "DATABASE_URL: failed set, but not a Postgres URL"],
    ["no password", { DATABASE_URL: "postgres://u@db.example/x" }, "DATABASE_URL: warning set, without a password"],

    ["QSTASH_DEV", { QSTASH_DEV: "true" }, "QSTASH_DEV: warning set"],
    ["QSTASH_REGION", { QSTASH_REGION: "US_EAST_1" }, "QSTASH_REGION: warning set"],
    ["no verification", { NODE_TLS_REJECT_UNAUTHORIZED: "0" }, "NODE_TLS_REJECT_UNAUTHORIZED: failed set to 0"],
    [
      "an open preview",
      { VERCEL: "1", VERCEL_ENV: "preview" },
      "VERCEL_AUTOMATION_BYPASS_SECRET: warning not set, in a preview deployment",
    ],
  ])("finds %s, and only that", (_, given, expected) => {
    const diagnosis = diagnoseEnv({ ...goodEnvironment, ...given });
    expect(troubles(diagnosis)).toEqual([expected]);
    const trouble = diagnosis.checks.find(({ status }) => status !== "ok");
    expect(trouble).toMatchObject({ cause: expect.stringMatching(/\.$/), remedy: expect.stringMatching(/./) });
    // The form itself, and not where to look for it.
    expect(trouble?.cause).not.toContain("README");
    expect(diagnosis.ok).toBe(trouble?.status === "warning");
  });

  test.each(queueNames.filter((name) => name !== "qstash"))(
    "with QUEUE=%s asks for what that queue needs, and for nothing of QStash's",
    (queue) => {
      const ofQstash = Object.entries(goodEnvironment).filter(([name]) => name.startsWith("QSTASH_"));
      const without = Object.fromEntries(ofQstash.map(([name]) => [name, undefined]));
      const diagnosis = diagnoseEnv({ ...goodEnvironment, ...without, QUEUE: queue });
      expect(diagnosis.queue).toBe(queue);
      expect(diagnosis.checks.filter(({ name }) => name.startsWith("QSTASH_"))).toEqual([]);
      // No schedule calls maintenance, so a cron must be able to.
      const withoutCron = { ...goodEnvironment, ...without, CRON_SECRET: "", QUEUE: queue };
      expect(find(diagnoseEnv(withoutCron), "CRON_SECRET")).toMatchObject({ status: "warning", detail: "not set" });
      expect(find(diagnoseEnv({ ...withoutCron, CRON_SECRET: "of-sixteen-chars." }), "CRON_SECRET").status).toBe("ok");
      expect(find(diagnoseEnv({ ...goodEnvironment, QUEUE: queue }), "CRON_SECRET").status).toBe("ok");
      // What is left of a queue that was used before is only warned of.
      const left = { ...goodEnvironment, QSTASH_CURRENT_SIGNING_KEY: goodEnvironment.QSTASH_TOKEN, QUEUE: queue };
      expect(find(diagnoseEnv(left), "QSTASH_CURRENT_SIGNING_KEY").status).toBe("warning");
      expect(find(diagnoseEnv({ ...left, QUEUE: "qstash" }), "QSTASH_CURRENT_SIGNING_KEY").status).toBe("failed");
    },
  );

  test("says so if the running build was made for another queue than QUEUE names", () => {
    const right = diagnose({ ...goodEnvironment, QUEUE: "qstash" }, { built: "qstash" });
    expect(find(right, "Build")).toEqual({ name: "Build", status: "ok", detail: "made for qstash" });
    const wrong = diagnose({ ...goodEnvironment, QUEUE: "redis" }, { built: "qstash" });
    expect(wrong.queue).toBe("qstash");
    expect(troubles(wrong)).toEqual(["Build: failed made for qstash"]);
    expect(find(wrong, "Build").remedy).toMatch(/^Set QUEUE=qstash where the relay runs, or build/);
    expect(troubles(diagnose({ ...goodEnvironment, QUEUE: "rabbit" }, { built: "qstash" }))).toEqual([
      "QUEUE: failed malformed",
    ]);
  });

  test("gives no advice about variables that nothing reads", () => {
    const unused = { METRICS_PREFIX: "short", RETENTION_WEEKS: "soon" };
    expect(diagnoseEnv({ ...goodEnvironment, ...unused })).toEqual(diagnoseEnv(goodEnvironment));
  });

  test("finds no mistake in the configuration of one machine", () => {
    const local = {
      ...goodEnvironment,
      QSTASH_URL: "http://127.0.0.1:8080",
      QSTASH_CURRENT_SIGNING_KEY: "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r",
      RELAY_URL: "http://127.0.0.1:3000",
      DATABASE_URL: "postgresql://postgres:password@127.0.0.1:5433/relay",
      QSTASH_DEV: "false",
    };
    expect(troubles(diagnoseEnv(local))).toEqual([]);
  });

  test("never shows a value or a part of one", () => {
    const mark = "gHj7KqPz";
    const shapes = [
      mark,
      `"${mark}"`,
      `${mark}\n`,
      `https://${mark}.example/api/${mark}`,
      `${mark},,${mark}`,
      `sig_${mark}`,
    ];
    for (const shape of [
      ...shapes,
      `eyJ${mark}`,
      `IGAA${mark}`,
      `postgres://${mark}@${mark}`,
      `http://u:${mark}@localhost`,
    ]) {
      const record = Object.fromEntries([...names, "QSTASH_DEV", "QSTASH_REGION"].map((name) => [name, shape]));
      const diagnosis = diagnoseEnv({ ...record, VERCEL: "1" });
      expect(troubles(diagnosis).length).toBeGreaterThan(names.length / 3);
      expect(JSON.stringify(diagnosis).toLowerCase()).not.toContain(mark.toLowerCase());
    }
  });
});
