import { spawn, type StdioOptions } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

const lines = 3_000;
const filler = "x".repeat(200);
const source = fileURLToPath(new URL("../../src/local/quicken-log.ts", import.meta.url));

/** A process with a quick console that runs this script; with how it ends. */
function start(script: string, stdio: StdioOptions, loadedBefore: readonly string[] = []) {
  const code = `
    import { quickenLog } from ${JSON.stringify(source)};
    quickenLog(console, process);
    const lineOf = (index) => JSON.stringify({ time: "now", index, filler: "${filler}" });
    ${script}`;
  const imports = [...loadedBefore, "tsx"].flatMap((name) => ["--import", name]);
  const child = spawn(process.execPath, [...imports, "--input-type=module", "--eval", code], { stdio });
  return { child, ended: new Promise<number | null>((resolve) => child.once("close", resolve)) };
}

test("lines are whole and in order among what else the console writes, and the process waits for a slow reader", async () => {
  const { child, ended } = start(
    `for (let index = 0; index < ${lines}; index += 1) {
      if (index % 3 === 0) console.info("%d of a handler", index);
      else console[index % 2 === 0 ? "info" : "debug"](lineOf(index));
      if (index % 3 === 0) console.error("%d of a handler", index);
      else console[index % 2 === 0 ? "warn" : "error"](lineOf(index));
    }`,
    ["ignore", "pipe", "pipe"],
  );
  const read = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    const stream = child[name];
    stream?.setEncoding("utf8").on("data", (text: string) => {
      read[name] += text;
      // A turn of the event loop for each part: the pipe is full most of the time.
      stream.pause();
      setImmediate(() => stream.resume());
    });
  }
  expect(await ended).toBe(0);
  const expected = Array.from({ length: lines }, (_, index) =>
    index % 3 === 0 ? `${index} of a handler\n` : `${JSON.stringify({ time: "now", index, filler })}\n`,
  ).join("");
  expect(read.stdout === expected).toBe(true);
  expect(read.stderr === expected).toBe(true);
});

test("a console method that was wrapped before, as collectors of logs do it, still sees the lines", async () => {
  const { child, ended } = start(
    "console.info(lineOf(1)); console.warn(lineOf(2));",
    ["ignore", "pipe", "pipe"],
    [
      `data:text/javascript,${encodeURIComponent(`
      const slow = console.info;
      console["info"] = (...values) => slow("collected", ...values);`)}`,
    ],
  );
  const read = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) child[name]?.on("data", (part) => (read[name] += String(part)));
  expect(await ended).toBe(0);
  expect(read).toEqual({
    stdout: `collected ${JSON.stringify({ time: "now", index: 1, filler })}\n`,
    stderr: `${JSON.stringify({ time: "now", index: 2, filler })}\n`,
  });
});

test("a reader that goes away, and a full disk, lose lines and do not end the process", async () => {
  const full = openSync("/dev/full", "w");
  const { child, ended } = start(
    `let turns = 0;
    setInterval(() => {
      console.info(lineOf(turns));
      console.error(lineOf(turns));
      turns += 1;
      if (turns === 50) process.exit(7);
    }, 1);`,
    ["ignore", "pipe", full],
  );
  closeSync(full);
  child.stdout?.once("data", () => child.stdout?.destroy());
  expect(await ended).toBe(7);
});
