import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The checkout. */
export const root = fileURLToPath(new URL("../..", import.meta.url));
export const nextBin = join(root, "node_modules/next/dist/bin/next");

/**
 * Turbopack follows no link that leads out of its root. And types are the checkout's to check: here the compiler would
 * do so without its options.
 */
const nextConfig = 'export default { turbopack: { root: "/" }, typescript: { ignoreBuildErrors: true } };';

/**
 * Builds a small app of Next's with our packages and hands its folder to `use`, after which it is gone. Outside the
 * checkout: Next would take the checkout's instrumentation.ts for the app's own.
 */
export async function withNextApp<T>(write: (folder: string) => void, use: (folder: string) => T): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "relay-next-app-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    write(folder);
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    writeFileSync(join(folder, "package.json"), '{ "private": true }');
    writeFileSync(join(folder, "next.config.mjs"), nextConfig);
    await build(folder);
    return use(folder);
  } finally {
    process.off("exit", remove);
    remove();
  }
}

/**
 * Where to keep what such an app was built for, until its source or an installed package is another: Next bundles some
 * of those (@opentelemetry/api, say) only if they are there.
 */
export function keptPath(name: string, source: readonly string[]): string {
  const packages = readFileSync(join(root, "node_modules/.package-lock.json"), "utf8");
  const hash = createHash("sha256")
    .update(JSON.stringify([root, nextConfig, packages, ...source]))
    .digest("hex");
  return join(root, `node_modules/.cache/relay/${name}-${hash.slice(0, 16)}`);
}

async function build(folder: string): Promise<void> {
  // Next decides what a production build is.
  const env: NodeJS.ProcessEnv = { ...process.env, NEXT_TELEMETRY_DISABLED: "1" };
  delete (env as Record<string, string | undefined>)["NODE_ENV"];
  const building = promisify(execFile)(process.execPath, [nextBin, "build"], { cwd: folder, env });
  const abandon = () => building.child.kill("SIGKILL");
  process.once("exit", abandon);
  try {
    await building;
  } finally {
    process.off("exit", abandon);
  }
}
