import { spawn, type StdioOptions } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

const lines = 3_000;
const filler = "x".repeat(200);
const writer = fileURLToPath(new URL("../../src/platform/stream-writer.ts", import.meta.url));

/** A process that runs this script, in which `write` is the writer of its streams; with how it ends. */
function start(script: string, stdio: StdioOptions) {
  const source = `
    import { createStreamWriter } from ${JSON.stringify(writer)};
    const write = createStreamWriter(process);
    const filler = ${JSON.stringify(filler)};
    ${script}`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", source], { stdio });
  return { child, ended: new Promise<number | null>((resolve) => child.once("close", resolve)) };
}

test("lines are whole and in order among the console's own, and the process waits for a slow reader of them", async () => {
  const { child, ended } = start(
    `for (let index = 0; index < ${lines}; index += 1) {
      const line = index + " " + filler;
      if (index % 3 === 0) console.info(line);
      else write(index % 2 === 0 ? "info" : "debug", line);
      if (index % 3 === 0) console.error(line);
      else write(index % 2 === 0 ? "warn" : "error", line);
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
  const expected = Array.from({ length: lines }, (_, index) => `${index} ${filler}\n`).join("");
  expect(read.stdout === expected).toBe(true);
  expect(read.stderr === expected).toBe(true);
});

test("a reader that goes away, and a full disk, lose lines and do not end the process", async () => {
  const full = openSync("/dev/full", "w");
  const { child, ended } = start(
    `let turns = 0;
    setInterval(() => {
      write("info", filler);
      write("error", filler);
      turns += 1;
      if (turns === 50) process.exit(7);
    }, 1);`,
    ["ignore", "pipe", full],
  );
  closeSync(full);
  child.stdout?.once("data", () => child.stdout?.destroy());
  expect(await ended).toBe(7);
});
