import { spawn } from "node:child_process";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type CommandPlace, runCommand } from "../support/run-command.ts";
import { relay, spawned } from "./relay-process.ts";

const generated = ["INSTAGRAM_VERIFY_TOKEN", "RELAY_SECRET", "OPS_TOKEN", "CRON_SECRET"];
const secret = /^[\w-]{43}$/;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "relay-secrets-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (args: string[], place: CommandPlace = {}) => runCommand(["secrets", ...args], { folder, ...place });
const fileOf = (name: string) => parseEnv(readFileSync(join(folder, name), "utf8")) as Record<string, string>;

/** A `vercel` that notes what it is given, and what every process of the machine shows of its arguments. */
const vercel = `#!/bin/sh
cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >>"$OUT/processes"
printf '%s\\n' "$*" >>"$OUT/arguments"
cat >"$OUT/value-$3"
`;

test("the lines give each value to vercel through a pipe, and no process shows one", async () => {
  writeFileSync(join(folder, "vercel"), vercel);
  chmodSync(join(folder, "vercel"), 0o755);
  const quoted = "postgresql://u:it's%20$HOME`id`@h/db?sslmode=require&a=b";
  writeFileSync(join(folder, "values"), `DATABASE_URL="${quoted}"\n`);
  const environment = Object.fromEntries(generated.map((name) => [name, ""]));
  const { status, stdout, stderr } = await relay(["secrets", "--file", "values"], { ...environment, INIT_CWD: folder });
  expect([status, stderr]).toEqual([
    0,
    expect.stringMatching(/ new +INSTAGRAM_VERIFY_TOKEN, RELAY_SECRET, OPS_TOKEN, /),
  ]);

  const env = { ...process.env, PATH: `${folder}:${process.env["PATH"]}`, OUT: folder };
  const shell = spawn("sh", { env, cwd: folder });
  shell.stdin.end(stdout);
  expect(await spawned(shell)).toEqual({ status: 0, stdout: "", stderr: "" });
  const values = [...generated, "DATABASE_URL"].map((name) => readFileSync(join(folder, `value-${name}`), "utf8"));
  expect(values).toEqual([...generated.map((name) => fileOf("values")[name]), quoted]);
  const names = ["INSTAGRAM_VERIFY_TOKEN", "RELAY_SECRET", "DATABASE_URL", "OPS_TOKEN", "CRON_SECRET"];
  const lines = names.map((name) => `env add ${name} production --sensitive\n`);
  expect(readFileSync(join(folder, "arguments"), "utf8")).toBe(lines.join(""));
  const processes = readFileSync(join(folder, "processes"), "utf8");
  for (const value of values) expect(processes + stderr).not.toContain(value);
});

describe("relay secrets", () => {
  test("keeps its values in a file of the owner's alone, and prints the same when it is called again", async () => {
    writeFileSync(join(folder, "values"), "# by hand\nINSTAGRAM_APP_SECRET=0123\nTYPO=1\n", { mode: 0o644 });
    const first = await run(["--file", "values", "--format", "env"]);
    expect(parseEnv(first.stdout)).toEqual({
      INSTAGRAM_APP_SECRET: "0123",
      ...Object.fromEntries(generated.map((name) => [name, expect.stringMatching(secret)])),
    });
    expect(first.stderr).toMatch(/not the relay's, left out +TYPO/);
    expect(statSync(join(folder, "values")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, "values"), "utf8")).toMatch(/^# by hand\nINSTAGRAM_APP_SECRET=0123\nTYPO=1\nINST/);
    expect((await run(["--file", "values", "--format", "env"])).stdout).toBe(first.stdout);
    const { variables, created, elsewhere } = (await run(["--file", "values", "--json"])).json();
    expect([variables, created]).toEqual([parseEnv(first.stdout), []]);
    expect(elsewhere).toContainEqual({ name: "DATABASE_URL", where: expect.stringContaining("pooled") });
    const manifest = (await run(["--file", "values", "--format", "k8s"])).json();
    expect(manifest).toMatchObject({ kind: "Secret", stringData: variables });
    // The Secret is the one that the Deployment reads.
    const { name } = manifest["metadata"] as { name: string };
    const hosting = new URL("../../docs/hosting/kubernetes.yaml", import.meta.url);
    expect(readFileSync(hosting, "utf8")).toContain(`secretRef: { name: ${name} }`);
  });

  test("neither follows a link that waits for its values, nor replaces the one that it is given", async () => {
    writeFileSync(join(folder, "elsewhere"), "", { mode: 0o666 });
    symlinkSync(join(folder, "elsewhere"), join(folder, "real.unfinished"));
    writeFileSync(join(folder, "real"), "OPS_TOKEN=old\r\nCRON_SECRET=kept\r\nexport OPS_TOKEN=older\r\n");
    symlinkSync(join(folder, "real"), join(folder, "values"));
    const { failure } = await run(["--file", "values", "--rotate", "OPS_TOKEN", "--format", "env"]);
    expect(failure).toBeNull();
    expect([readFileSync(join(folder, "elsewhere"), "utf8"), readlinkSync(join(folder, "values"))]).toEqual([
      "",
      join(folder, "real"),
    ]);
    // Of two lines of one name the last counts: none may be left.
    expect(fileOf("real")).toEqual({ OPS_TOKEN: expect.stringMatching(secret), CRON_SECRET: "kept" });
    expect(statSync(join(folder, "real")).mode & 0o777).toBe(0o600);
  });

  test("leaves a file alone in which a value of several lines looks like the variable", async () => {
    const text = 'INSTAGRAM_APP_SECRET="a\nOPS_TOKEN=b\nc"\n';
    writeFileSync(join(folder, "values"), text);
    const { failure } = await run(["--file", "values", "--rotate", "OPS_TOKEN", "--format", "env"]);
    expect(failure).toContain("is left as it was");
    expect(readFileSync(join(folder, "values"), "utf8")).toBe(text);
  });

  test.each(["it's", "a\nb", "a$HOME`id`", 'say "x"'])(
    "the value %j is the same in a shell and in an .env file",
    async (value) => {
      const quote = value.includes("'") ? '"' : "'";
      writeFileSync(join(folder, "values"), `DATABASE_URL=${quote}${value}${quote}\n`);
      const { stdout } = await run(["--file", "values", "--format", "env"]);
      expect(parseEnv(stdout)["DATABASE_URL"]).toBe(value);
      expect(execFileSync("sh", ["-c", `${stdout}\nprintf %s "$DATABASE_URL"`], { encoding: "utf8" })).toBe(value);
    },
  );

  test("prints nothing of what the environment has, and says which of it is malformed", async () => {
    const variables = { OPS_TOKEN: "too-short-to-be-safe", QSTASH_TOKEN: "eyJ-of-the-account" };
    const { stdout, stderr } = await run(["--environment", "preview", "--force"], { variables });
    expect(stdout.split("\n")).toHaveLength(3);
    expect(stdout).toMatch(/^printf %s '[\w-]{43}' \| vercel env add \w+ preview --sensitive --force --yes$/m);
    expect(stderr).toMatch(/kept, not printed +QSTASH_TOKEN, OPS_TOKEN\n.*not accepted by the relay +OPS_TOKEN\n/);
    for (const value of Object.values(variables)) expect(stdout + stderr).not.toContain(value);
  });

  test("with another queue it asks for that queue's variables, and for none of QStash", async () => {
    const names = async (variables: Record<string, string>) => {
      const { elsewhere } = (await run(["--json"], { variables })).json();
      return (elsewhere as { name: string }[]).map(({ name }) => name);
    };
    expect(await names({})).toContain("QSTASH_TOKEN");
    const others = ["INSTAGRAM_APP_SECRET", "DATABASE_URL"];
    expect(await names({ QUEUE: "postgres" })).toEqual(others);
    const ofSqs = ["SQS_QUEUE_URL", "SQS_ACCESS_KEY_ID", "SQS_SECRET_ACCESS_KEY"];
    expect(await names({ QUEUE: "sqs" })).toEqual([...others, ...ofSqs]);
    expect(await names({ QUEUE: "cloud-tasks" })).toEqual([
      ...others,
      "CLOUD_TASKS_QUEUE",
      "GOOGLE_SERVICE_ACCOUNT_KEY",
    ]);
    expect(await names({ QUEUE: "redis" })).toEqual([...others, "QUEUE_REDIS_REST_URL", "QUEUE_REDIS_REST_TOKEN"]);
  });

  test("on a terminal it generates nothing, and says how to pipe the lines", async () => {
    const shown = await run(["--file", "values"], { isTerminal: true });
    expect(shown.stdout).toMatch(/^Nothing is generated yet.*\n\n {2}npx relay secrets --file .* \| sh$/);
    expect(() => fileOf("values")).toThrow("ENOENT");
  });

  test("rotates a list in steps, each from what the one before made", async () => {
    writeFileSync(join(folder, "values"), "RELAY_SECRET=old\n");
    const step = async (...args: string[]) => {
      const { stdout, stderr } = await run(["--file", "values", "--rotate", "RELAY_SECRET", ...args]);
      expect(stdout).toBe(
        `printf %s '${fileOf("values")["RELAY_SECRET"]}' | vercel env add RELAY_SECRET production --sensitive --force`,
      );
      expect(stderr).toMatch(/^1\. Set it and deploy/);
      return (fileOf("values")["RELAY_SECRET"] ?? "").split(",");
    };
    const [old, next = ""] = await step("--step", "accept");
    expect([old, next]).toEqual(["old", expect.stringMatching(secret)]);
    expect(await step("--step", "sign")).toEqual([next, "old"]);
    expect(await step("--step", "drop")).toEqual([next]);
    expect(await step()).toEqual([expect.stringMatching(secret), next]);
  });

  test.each([
    [["--rotate", "OPS_TOKEN", "--step", "sign"], "OPS_TOKEN is one value"],
    [["--rotate", "RELAY_SECRET"], "The present RELAY_SECRET is needed"],
    [["--rotate", "QSTASH_TOKEN"], "QSTASH_TOKEN is not generated here"],
    [["--step", "sign"], "--step is a step of a rotation"],
    [["--environment", "a;b"], "It must be production"],
  ])("%j is refused", async (args, sentence) => {
    const { failure, stdout } = await run(args);
    expect([failure, stdout]).toEqual([expect.stringContaining(sentence), ""]);
  });
});
