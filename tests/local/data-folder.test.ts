import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { openDataFolder } from "#local/data-folder.ts";
import { startMark } from "#local/processes.ts";
import { readOrCreateSecrets, readSecrets } from "#local/secrets.ts";

let folder: string;
let dataDir: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "relay-data-"));
  dataDir = join(folder, "data");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the data folder's lock", () => {
  const lockWith = (holder: unknown) => {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(join(dataDir, "lock"), JSON.stringify(holder));
  };

  test("can be taken again after its release", () => {
    openDataFolder(dataDir).release();
    expect(openDataFolder(dataDir).path).toBe(dataDir);
  });

  test("of a live process is refused to others, with the number of that process", () => {
    lockWith({ pid: process.ppid, start: startMark(process.ppid) });
    expect(() => openDataFolder(dataDir)).toThrow(`is in use by another start (process ${process.ppid})`);
  });

  test.each([
    ["a dead process", { pid: 2 ** 22 + 1, start: null }],
    ["a process whose number another one has now", { pid: process.ppid, start: "long ago" }],
  ])("of %s is taken over", (_, holder) => {
    lockWith(holder);
    openDataFolder(dataDir);
    expect(JSON.parse(readFileSync(join(dataDir, "lock"), "utf8"))).toMatchObject({ pid: process.pid });
  });

  test("cannot be made where a file has that name: one sentence", () => {
    writeFileSync(dataDir, "");
    expect(() => openDataFolder(dataDir)).toThrow(
      /^The data folder .* cannot be used \((EEXIST|ENOTDIR)\): make it writable/,
    );
  });
});

test.runIf(process.platform === "linux")("a data folder below one that accepts none is refused at once", () => {
  expect(() => openDataFolder("/proc/relay/data")).toThrow(/^The data folder .* cannot be used \(ENOENT\)/);
});

test("a data folder is made with the folders above it", () => {
  const path = join(dataDir, "above", "data");
  openDataFolder(path).release();
  expect(existsSync(path)).toBe(true);
});

describe("secrets", () => {
  beforeEach(() => mkdirSync(dataDir));

  test("are random and private, and the same at the next start", () => {
    const secrets = readOrCreateSecrets(dataDir);
    expect(new Set(Object.values(secrets)).size).toBe(Object.keys(secrets).length);
    for (const secret of Object.values(secrets)) expect(secret.length).toBeGreaterThanOrEqual(32);
    expect(secrets.QSTASH_CURRENT_SIGNING_KEY).toMatch(/^sig_/);
    expect(statSync(join(dataDir, "secrets.json")).mode & 0o777).toBe(0o600);
    expect(readOrCreateSecrets(dataDir)).toEqual(secrets);
  });

  test("of an earlier version are kept and completed, and a mode that lets others read them is corrected", () => {
    const file = join(dataDir, "secrets.json");
    writeFileSync(file, JSON.stringify({ OPS_TOKEN: "kept" }));
    chmodSync(file, 0o644);
    const secrets = readOrCreateSecrets(dataDir);
    expect(secrets.OPS_TOKEN).toBe("kept");
    expect(secrets.RELAY_SECRET).toBeTruthy();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test.each(["", "{", "[]", "null", '{"OPS_TOKEN":5}', '{"OPS_TOKEN":""}'])(
    "that are damaged are one sentence: %j",
    (content) => {
      writeFileSync(join(dataDir, "secrets.json"), content);
      expect(() => readSecrets(dataDir)).toThrow(/secrets\.json is damaged: restore it, or delete /);
    },
  );
});
