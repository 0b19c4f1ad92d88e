import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { atExit } from "./at-exit.ts";
import { runProgram as run } from "./run-program.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const unusedMsMax = 24 * 3_600_000;
/** What a build and the broker read. */
const parts = [
  "app",
  "src",
  "instrumentation.ts",
  "next.config.ts",
  "proxy.ts",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
];

export interface BuiltCopyOptions {
  /** The commit to build, as git names it; the working tree unless given. */
  ref?: string;
  /** Files to replace or add, by their path: the text of each. */
  files?: Record<string, string>;
  /** The one that the edge function holds; QStash unless given. */
  queue?: string;
  note: (text: string) => void;
}

/**
 * The folder of a copy of the product, built, in which `next start` can run: another release with the packages that it
 * names, or the working tree with other files. It is kept beside the packages and built again only when a source has
 * changed. Rejects with the output of the installation or build that fails.
 */
export async function openBuiltCopy({ ref, files = {}, queue = "qstash", note }: BuiltCopyOptions): Promise<string> {
  // The compiled folder's links are relative to it, so it is built where packages lie beside it.
  const building = realpathSync(mkdtempSync(join(tmpdir(), "relay-copy-")));
  const remove = () => rmSync(building, { recursive: true, force: true });
  const cancel = atExit(() => removeLater(building));
  try {
    await (ref === undefined ? copyWorkingTree(building) : unpack(ref, building));
    for (const [path, text] of Object.entries(files)) writeFileSync(join(building, path), text);
    const kept = join(
      root,
      `node_modules/.cache/relay/copy-${await hashFolder(building)}${queue === "qstash" ? "" : `-${queue}`}`,
    );
    if (existsSync(kept)) return kept;
    removeUnused(dirname(kept));
    note(`Building ${ref ?? "the working tree with other files"} …`);
    await build(building, queue);
    await keep(building, kept);
    return kept;
  } finally {
    cancel();
    remove();
  }
}

/** Its packages are some ten thousand files, which would hold up the end of this process for seconds. */
function removeLater(folder: string): void {
  if (process.platform === "win32") return rmSync(folder, { recursive: true, force: true });
  spawn("rm", ["-rf", folder], { detached: true, stdio: "ignore" });
}

function copyWorkingTree(folder: string): Promise<void> {
  for (const part of parts) cpSync(join(root, part), join(folder, part), { recursive: true });
  return Promise.resolve();
}

async function unpack(ref: string, folder: string): Promise<void> {
  const archive = join(folder, "archive.tar");
  // Older releases have not all of them.
  const { stdout } = await run("git", ["ls-tree", "--name-only", ref, "--", ...parts], { cwd: root });
  await run("git", ["archive", "-o", archive, ref, "--", ...stdout.trim().split("\n")], { cwd: root });
  await run("tar", ["-xf", archive, "-C", folder]);
  rmSync(archive);
}

async function hashFolder(folder: string): Promise<string> {
  const hash = createHash("sha256").update(root);
  hash.update(readFileSync(join(root, "node_modules/.package-lock.json")));
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const file of entries.map((entry) => join(entry.parentPath, entry.name)).toSorted()) {
    hash.update(`${file.slice(folder.length)}\n`).update(readFileSync(file));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Whether the copy needs the packages that are installed here. */
function hasSamePackages(folder: string): boolean {
  const lock = "package-lock.json";
  return readFileSync(join(folder, lock)).equals(readFileSync(join(root, lock)));
}

async function install(folder: string): Promise<void> {
  // Turbopack follows no link that leads out of its root; hard links take no space.
  if (hasSamePackages(folder)) return link(join(root, "node_modules"), join(folder, "node_modules"));
  await run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: folder });
}

async function link(from: string, to: string): Promise<void> {
  await run("cp", ["-al", from, to]).catch(() => run("cp", ["-a", from, to]));
}

async function build(folder: string, queue: string): Promise<void> {
  await install(folder);
  const next = join(folder, "node_modules/next/dist/bin/next");
  const env: NodeJS.ProcessEnv = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", QUEUE: queue };
  // `next build` sets it itself.
  delete (env as Record<string, string | undefined>)["NODE_ENV"];
  try {
    await run(process.execPath, [next, "build"], { cwd: folder, env, maxBuffer: 64 * 1_024 * 1_024 });
  } catch (thrown) {
    const { stdout, stderr } = thrown as { stdout: string; stderr: string };
    throw new Error(`The product could not be built:\n${stdout}${stderr}`, { cause: thrown });
  }
}

/** Deletes what was built from older sources. A recent one may be in use by another process. */
function removeUnused(cache: string): void {
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(cache)) {
    const folder = join(cache, name);
    if (!name.startsWith("copy-") || Date.now() - statSync(folder).mtimeMs < unusedMsMax) continue;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Makes the whole folder appear at once; its packages are the checkout's own, if they are the same. */
async function keep(built: string, kept: string): Promise<void> {
  const copy = `${kept}.${process.pid}`;
  const leftOut = new Set(["node_modules", ".next/cache"].map((name) => join(built, name)));
  cpSync(built, copy, { recursive: true, verbatimSymlinks: true, filter: (file) => !leftOut.has(file) });
  const packages = join(copy, "node_modules");
  if (hasSamePackages(built)) symlinkSync(join(root, "node_modules"), packages, "junction");
  else await link(join(built, "node_modules"), packages);
  try {
    renameSync(copy, kept);
  } catch (thrown) {
    rmSync(copy, { recursive: true });
    // Another process may have built the same meanwhile.
    if (!existsSync(kept)) throw thrown;
  }
}
