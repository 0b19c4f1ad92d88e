import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { openLogFile } from "#local/log-file.ts";

import { createManualClock } from "../support/manual-clock.ts";

function createPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "relay-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "server.log");
}

test("the log of a running child stays within two files and keeps its newest lines", async () => {
  const path = createPath();
  const clock = createManualClock();
  const log = openLogFile(path, { bytesMax: 10_000, clock });
  const output = log.openForChild();
  const writer = `process.on("message", (n) => { for (let i = 0; i < 100; i++) console.log(n + " " + i + " " + "x".repeat(40)); process.send(n) })`;
  const child = spawn(process.execPath, ["-e", writer], { stdio: ["ignore", output, output, "ipc"] });
  closeSync(output);
  for (let round = 0; round < 20; round += 1) {
    child.send(round);
    await once(child, "message");
    await clock.advance(100);
    expect(statSync(path).size).toBeLessThanOrEqual(10_000);
  }
  const lines = `${readFileSync(`${path}.1`, "utf8")}${readFileSync(path, "utf8")}`.trim().split("\n").slice(1);
  expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(10_000);
  expect(lines.length).toBeGreaterThan(150);
  const numbers = lines.map((line) => Number(line.split(" ")[0]) * 100 + Number(line.split(" ")[1]));
  expect(numbers).toEqual(numbers.map((_number, index) => 1_999 - (numbers.length - 1 - index)));

  // Without us nothing is rotated, and the child's lines still arrive.
  log.close();
  child.send("after");
  await once(child, "message");
  expect(readFileSync(path, "utf8")).toContain("after 99");
  child.disconnect();
  await once(child, "exit");
});

test("a log that is too large is cut when it is opened, and its tail starts there", () => {
  const path = createPath();
  writeFileSync(path, "old\n".repeat(5_000));
  const log = openLogFile(path, { bytesMax: 10_000, clock: createManualClock() });
  log.write("new");
  expect([log.tail(), statSync(path).size, statSync(`${path}.1`).size]).toEqual(["new", 4, 10_000]);
  log.close();
});

test("the lines shown on a terminal have no control characters, and none is missing when the file is cut", async () => {
  const clock = createManualClock();
  let shown = "";
  const follow = (text: string) => {
    shown += text;
  };
  const log = openLogFile(createPath(), { bytesMax: 10, clock, follow });
  log.write("\u001b]0;title\u0007 \u009b2J");
  await clock.advance(100);
  log.write("second line");
  log.close();
  expect(shown).toBe("\u{FFFD}]0;title\u{FFFD} \u{FFFD}2J\nsecond line\n");
});
