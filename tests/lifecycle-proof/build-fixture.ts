import { execFile } from "node:child_process";
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
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cache = join(root, "node_modules/.cache/relay");
const prefix = "lifecycle-";
const unusedMsMax = 24 * 3_600_000;

/** All that the fixture is made of. What it takes of `src` imports nothing of the other folders there. */
const inputs = [
  "tests/lifecycle-proof/fixture",
  "src/instagram",
  "src/queue",
  "src/platform",
  "instrumentation.ts",
  "node_modules/.package-lock.json",
];

/** Types are looked at by `npm run check`. Turbopack follows no link that leads out of its root. */
const config = 'export default { typescript: { ignoreBuildErrors: true }, turbopack: { root: "/" } };\n';

/**
 * The folder of the built fixture, in which `next start` can run. It is built once for what it is made of, and kept
 * beside the packages it needs.
 */
export async function buildFixture(note: (text: string) => void): Promise<string> {
  const kept = join(cache, prefix + hashInputs());
  if (existsSync(kept)) return kept;
  note("Building the fixture …");
  // Outside the checkout, where Next would find the configuration of the product.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `relay-${prefix}`)));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    writeApp(folder);
    await build(folder);
    removeUnused();
    keep(folder, kept);
  } finally {
    process.off("exit", remove);
    remove();
  }
  return kept;
}

function hashInputs(): string {
  // The build knows by name where the packages are.
  const hash = createHash("sha256").update(root).update(config);
  for (const input of inputs) {
    const path = join(root, input);
    const isFolder = statSync(path).isDirectory();
    const files = isFolder ? readdirSync(path, { recursive: true, encoding: "utf8" }).toSorted() : [""];
    for (const file of files) {
      if (!isFolder || file.endsWith(".ts")) hash.update(`${input}/${file}\0`).update(readFileSync(join(path, file)));
    }
  }
  return hash.digest("hex").slice(0, 16);
}

/** Next wants the routes themselves; what they import may be links. */
function writeApp(folder: string): void {
  const fixture = join(root, "tests/lifecycle-proof/fixture");
  cpSync(join(fixture, "app"), join(folder, "app"), { recursive: true });
  symlinkSync(join(fixture, "fixture-routes.ts"), join(folder, "fixture-routes.ts"));
  symlinkSync(join(root, "instrumentation.ts"), join(folder, "instrumentation.ts"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  writeFileSync(join(folder, "next.config.mjs"), config);
}

async function build(folder: string): Promise<void> {
  // Next decides what a production build is.
  const env: NodeJS.ProcessEnv = { ...process.env, NEXT_TELEMETRY_DISABLED: "1" };
  delete (env as Record<string, string | undefined>)["NODE_ENV"];
  const next = join(root, "node_modules/next/dist/bin/next");
  const building = promisify(execFile)(process.execPath, [next, "build"], { cwd: folder, env });
  const abandon = () => building.child.kill("SIGKILL");
  process.once("exit", abandon);
  try {
    await building;
  } catch (thrown) {
    const { stdout, stderr } = thrown as { stdout: string; stderr: string };
    throw new Error(`The fixture could not be built:\n${stdout}${stderr}`, { cause: thrown });
  } finally {
    process.off("exit", abandon);
  }
}

/** Builds of what the fixture was made of some time ago; a recent one may be in use. */
function removeUnused(): void {
  if (!existsSync(cache)) return;
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    if (!name.startsWith(prefix) || Date.now() - statSync(path).mtimeMs < unusedMsMax) continue;
    rmSync(path, { recursive: true, force: true });
  }
}

/** Whole or not at all. Somebody else may have been quicker. */
function keep(folder: string, kept: string): void {
  const copy = `${kept}.${process.pid}`;
  mkdirSync(cache, { recursive: true });
  cpSync(folder, copy, { recursive: true, filter: (file) => !file.startsWith(join(folder, ".next/cache")) });
  try {
    renameSync(copy, kept);
  } catch (thrown) {
    rmSync(copy, { recursive: true });
    if (!existsSync(kept)) throw thrown;
  }
}
