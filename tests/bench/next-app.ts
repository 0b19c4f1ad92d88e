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

import { atExit } from "../support/at-exit.ts";
import { runProgram } from "../support/run-program.ts";

/** The checkout. */
export const root = fileURLToPath(new URL("../..", import.meta.url));
export const nextBin = join(root, "node_modules/next/dist/bin/next");

const unusedMsMax = 24 * 3_600_000;

/**
 * Turbopack follows no link that leads out of its root. Types are checked by `npm run check`; here the compiler would
 * check them without the checkout's options.
 */
const nextConfig = 'export default { turbopack: { root: "/" }, typescript: { ignoreBuildErrors: true } };';

/**
 * Builds a small Next app with the checkout's packages and passes its folder to `use`; the folder is deleted afterwards.
 * It is outside the checkout, where Next would take the checkout's instrumentation.ts for the app's own. Rejects with the
 * build's output if the build fails.
 */
export async function withNextApp<T>(write: (folder: string) => void, use: (folder: string) => T): Promise<T> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "relay-next-app-")));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const cancel = atExit(remove);
  try {
    write(folder);
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
    writeFileSync(join(folder, "next.config.mjs"), nextConfig);
    await build(folder);
    return use(folder);
  } finally {
    cancel();
    remove();
  }
}

/**
 * Builds such an app and keeps its folder beside the packages, so that `next start` can run there. It is built again only
 * when a `.ts` file in `sources`, which are files and folders, or an installed package has changed.
 */
export async function keepNextApp(
  name: string,
  { sources, write }: { sources: readonly string[]; write: (folder: string) => void },
  note: () => void,
): Promise<string> {
  const kept = keptPath(name, sources.flatMap(readSource));
  if (existsSync(kept)) return kept;
  note();
  await withNextApp(write, (folder) => {
    removeUnused(name, dirname(kept));
    const copy = `${kept}.${process.pid}`;
    cpSync(folder, copy, { recursive: true, filter: (file) => !file.startsWith(join(folder, ".next/cache")) });
    try {
      // Makes the whole folder appear at once.
      renameSync(copy, kept);
    } catch (thrown) {
      rmSync(copy, { recursive: true });
      // Another process may have built the same app meanwhile.
      if (!existsSync(kept)) throw thrown;
    }
  });
  return kept;
}

/**
 * Where to keep a result of such an app. The path is a new one when the sources or an installed package change: Next
 * bundles some packages (@opentelemetry/api, for example) only if they are installed.
 */
export function keptPath(name: string, source: readonly string[]): string {
  const packages = readFileSync(join(root, "node_modules/.package-lock.json"), "utf8");
  const hash = createHash("sha256")
    .update(JSON.stringify([root, nextConfig, packages, ...source]))
    .digest("hex");
  return join(root, `node_modules/.cache/relay/${name}-${hash.slice(0, 16)}`);
}

/** Names and contents. */
function readSource(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path, readFileSync(path, "utf8")];
  const names = readdirSync(path, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  return names.toSorted().flatMap((name) => [name, readFileSync(join(path, name), "utf8")]);
}

async function build(folder: string): Promise<void> {
  // NODE_ENV is left out, because `next build` sets it itself.
  const env: NodeJS.ProcessEnv = { ...process.env, NEXT_TELEMETRY_DISABLED: "1" };
  delete (env as Record<string, string | undefined>)["NODE_ENV"];
  try {
    await runProgram(process.execPath, [nextBin, "build"], { cwd: folder, env });
  } catch (thrown) {
    const { stdout, stderr } = thrown as { stdout: string; stderr: string };
    throw new Error(`The Next app could not be built:\n${stdout}${stderr}`, { cause: thrown });
  }
}

/** Deletes builds of the same app from older sources. A recent one may be in use by another process. */
function removeUnused(name: string, cache: string): void {
  mkdirSync(cache, { recursive: true });
  for (const entry of readdirSync(cache)) {
    const path = join(cache, entry);
    if (!entry.startsWith(`${name}-`) || Date.now() - statSync(path).mtimeMs < unusedMsMax) continue;
    rmSync(path, { recursive: true, force: true });
  }
}
