import { spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { root } from "./start-process.ts";

interface Packages {
  packages: Record<string, Record<string, unknown>>;
}

interface Bootstrap {
  nodeProblem(version: string): string | null;
  isInstalled(lock: Packages, installed: Packages, withDev: boolean): boolean;
  isBuiltFrom(hash: string, folder: string): boolean;
  stampBuild(hash: string, folder: string): void;
  hashFiles(folder: string, names: string[], except: string[]): string;
  holdBuild(folder: string): () => void;
  withdrawStamp(folder: string): void;
  buildHolder(folder: string): string | null;
  takeLock(file: string, note: (text: string) => void): Promise<() => void>;
}

// The one file that is not TypeScript, so the compiler is told what it exports.
const bootstrapFile = join(root, "src/cli/bootstrap.mjs");
const {
  nodeProblem,
  isInstalled,
  isBuiltFrom,
  stampBuild,
  hashFiles,
  holdBuild,
  withdrawStamp,
  buildHolder,
  takeLock,
} = (await import(pathToFileURL(bootstrapFile).href)) as Bootstrap;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "relay-bootstrap-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each(["20.19.0", "20.20.2", "22.0.0", "24.1.0"])("Node %s is enough", (version) => {
  expect(nodeProblem(version)).toBeNull();
});

test.each(["20.18.3", "18.20.0", "14.21.3", "9.0.0"])(
  "Node %s is refused with the version that is needed",
  (version) => {
    expect(nodeProblem(version)).toMatch(/^Node\.js 20\.19 or newer is needed; this is /);
    expect(nodeProblem(version)).toContain(version);
  },
);

test("packages that are installed as the lock file says need no installation", () => {
  const lock = {
    packages: {
      "": { name: "us" },
      "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
      "node_modules/only-mac": { version: "1.0.0", optional: true },
      "node_modules/tool": { version: "2.0.0", dev: true },
    },
  };
  const { "node_modules/a": a, "node_modules/tool": tool } = lock.packages;
  const installed = (packages: Record<string, Record<string, unknown>>) => ({ packages });
  const all = installed({ "node_modules/a": a, "node_modules/tool": tool });
  expect(isInstalled(lock, all, true)).toBe(true);
  expect(isInstalled(lock, installed({ "node_modules/a": a }), true)).toBe(false);
  expect(isInstalled(lock, installed({ "node_modules/a": a }), false)).toBe(true);
  expect(isInstalled(lock, installed({ "node_modules/tool": tool }), true)).toBe(false);
  const older = installed({ ...all.packages, "node_modules/a": { ...a, version: "0.9.0" } });
  expect(isInstalled(lock, older, true)).toBe(false);
  const other = installed({ ...all.packages, "node_modules/a": { ...a, integrity: "sha512-b" } });
  expect(isInstalled(lock, other, true)).toBe(false);
});

test("a build is fresh with the hash that it was stamped with, and until another one is made by hand", () => {
  const id = join(folder, "BUILD_ID");
  expect(isBuiltFrom("hash", folder)).toBe(false);
  writeFileSync(id, "first");
  expect(isBuiltFrom("hash", folder)).toBe(false);
  stampBuild("hash", folder);
  expect([isBuiltFrom("hash", folder), isBuiltFrom("hash sqs", folder)]).toEqual([true, false]);
  writeFileSync(id, "by hand");
  expect(isBuiltFrom("hash", folder)).toBe(false);
});

test("a build is held by a start that serves it, and not by one that is gone", () => {
  expect(buildHolder(folder)).toBeNull();
  const letGo = holdBuild(folder);
  expect(buildHolder(folder)).toBe(String(process.pid));
  letGo();
  expect(buildHolder(folder)).toBeNull();
  holdBuild(folder);
  // The number is another process's now.
  writeFileSync(join(folder, "relay-starts", String(process.pid)), `${process.pid} 1`);
  expect(buildHolder(folder)).toBeNull();
});

test("a build that a start serves stays fresh, and another one is no longer called fresh before it is replaced", () => {
  writeFileSync(join(folder, "BUILD_ID"), "first");
  stampBuild("hash", folder);
  const letGo = holdBuild(folder);
  expect(() => withdrawStamp(folder)).toThrow(`process ${process.pid}`);
  expect(isBuiltFrom("hash", folder)).toBe(true);
  letGo();
  withdrawStamp(folder);
  expect(isBuiltFrom("hash", folder)).toBe(false);
});

test("a note without the start of its process is not believed after this machine has started again", () => {
  const note = join(folder, "relay-starts", String(process.pid));
  mkdirSync(join(folder, "relay-starts"));
  writeFileSync(note, `${process.pid} `);
  expect(buildHolder(folder)).toBe(String(process.pid));
  utimesSync(note, new Date(0), new Date(0));
  expect(buildHolder(folder)).toBeNull();
});

test.each([
  ["sources that change during each build", `fs.appendFileSync("app/page.tsx", " again");`],
  ["a stamp that cannot be written", `fs.symlinkSync("missing/stamp", ".next/relay-build");`],
])("a start builds once with %s, and then serves the build", (_, during) => {
  const write = (name: string, content: string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  };
  cpSync(bootstrapFile, join(folder, "src/cli/bootstrap.mjs"));
  write("src/cli/start.ts", `export const run = () => console.log("serves");`);
  write("app/page.tsx", "one\n");
  for (const name of ["package-lock.json", "node_modules/.package-lock.json"]) write(name, `{"packages":{}}`);
  write("package.json", `{"type":"module"}`);
  for (const name of ["tsx", "esbuild", "@esbuild", "get-tsconfig"].filter((one) =>
    existsSync(join(root, "node_modules", one)),
  )) {
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  }
  // Stands in for `next build`; it gives up where it is asked for without end.
  write(
    "node_modules/next/dist/bin/next",
    `const fs = require("node:fs");
    fs.appendFileSync("builds", "1");
    if (fs.readFileSync("builds", "utf8").length > 3) process.exit(1);
    fs.mkdirSync(".next", { recursive: true });
    ${during}
    fs.writeFileSync(".next/BUILD_ID", "id");`,
  );
  write("node_modules/next/package.json", `{"type":"commonjs"}`);
  const started = spawnSync(process.execPath, ["src/cli/bootstrap.mjs", "start"], { cwd: folder, encoding: "utf8" });
  expect(started).toMatchObject({ status: 0, stderr: "", stdout: expect.stringMatching(/serves\n$/) });
  expect(readFileSync(join(folder, "builds"), "utf8")).toBe("1");
});

test("the hash of the build depends on names and contents of all files but the excluded ones", () => {
  const hash = () => hashFiles(folder, ["app", "src", "missing.ts"], ["src/cli"]);
  const write = (name: string, content: string) => writeFileSync(join(folder, name), content);
  for (const name of ["app", "src", "src/cli"]) mkdirSync(join(folder, name));
  write("app/page.tsx", "one");
  const first = hash();
  expect(hash()).toBe(first);
  write("src/cli/start.ts", "changed");
  expect(hash()).toBe(first);
  write("app/page.tsx", "two");
  const second = hash();
  expect(second).not.toBe(first);
  write("app/page.tsx", "one");
  write("src/new.ts", "");
  expect(hash()).not.toBe(first);
});

describe("takeLock()", () => {
  const lock = () => join(folder, ".bootstrap.lock");

  test("lets one process in at a time, and tells the others which process holds it", async () => {
    const release = await takeLock(lock(), () => {});
    const notes: string[] = [];
    let isIn = false;
    const second = takeLock(lock(), (note) => notes.push(note)).then((releaseSecond) => {
      isIn = true;
      return releaseSecond;
    });
    await eventually("the second process says that it waits", () => notes.length > 0);
    expect([isIn, notes]).toEqual([false, [expect.stringContaining(`process ${process.pid}`)]]);
    release();
    (await second)();
    expect(existsSync(lock())).toBe(false);
  });

  const ended = String(spawnSync(process.execPath, ["-p", "process.pid"]).stdout).trim();
  test.each([
    ["a process that has ended", `${ended} 1`],
    ["a process whose number another one has now", `${process.pid} 1`],
    ["an earlier version of this", ended],
  ])("takes over the lock of %s", async (_, content) => {
    writeFileSync(lock(), content);
    (await takeLock(lock(), () => {}))();
    expect(existsSync(lock())).toBe(false);
  });

  test.each([
    ["is empty", new Date(0)],
    ["is empty, and dated in the future", new Date(Date.now() + 3_600_000)],
  ])("takes over a lock that %s", async (_, at) => {
    writeFileSync(lock(), "");
    utimesSync(lock(), at, at);
    (await takeLock(lock(), () => {}))();
    expect(existsSync(lock())).toBe(false);
  });

  test("lets one process in at a time when several find the lock of a dead process", async () => {
    writeFileSync(lock(), `${ended} 1`);
    const bootstrap = pathToFileURL(join(root, "src/cli/bootstrap.mjs")).href;
    const script = `
      import fs from "node:fs";
      import { takeLock } from ${JSON.stringify(bootstrap)};
      const [file, inside] = process.argv.slice(2);
      for (let round = 0; round < 3; round += 1) {
        const release = await takeLock(file, () => {});
        fs.writeFileSync(inside, "", { flag: "wx" });
        fs.rmSync(inside);
        release();
      }`;
    const file = join(folder, "contend.mjs");
    writeFileSync(file, script);
    const run = () => {
      const child = spawn(process.execPath, [file, lock(), join(folder, "inside")], { stdio: "ignore" });
      return new Promise<number | null>((resolve) => child.once("close", resolve));
    };
    expect(await Promise.all([run(), run(), run()])).toEqual([0, 0, 0]);
  });
});
