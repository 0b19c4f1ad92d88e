/** The receiver's package, built and packed as `npm run pack` does it, and unpacked as an app would have it. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { build } from "esbuild";

import { buildPackage } from "#cli/pack/build-package.ts";
import { packageName } from "#cli/pack/manifest.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));

const run = promisify(execFile);

export interface PackedReceiver {
  /** An app's folder, which has the package in its `node_modules`; below the project, so that its packages are found too. */
  app: string;
  /** The package as npm would install it. */
  installed: string;
  /** The paths of the tarball. */
  files: string[];
  /** Bundles a module of ours that imports `#receiver/index.ts`, with the package in the place of the sources. */
  bundle(entry: URL, format: "esm" | "iife", globalName?: string): Promise<string>;
  remove(): void;
}

/** Builds, packs and unpacks; takes two seconds. */
export async function packReceiver(): Promise<PackedReceiver> {
  mkdirSync(join(root, ".pack"), { recursive: true });
  const app = mkdtempSync(join(root, ".pack/app-"));
  const built = join(app, "built");
  const installed = join(app, "node_modules", packageName);
  await buildPackage(root, built);
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", app], { cwd: built });
  const [tarball] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  if (tarball === undefined) throw new Error("npm packed nothing");
  mkdirSync(installed, { recursive: true });
  await run("tar", ["-xzf", join(app, tarball.filename), "--strip-components=1", "-C", installed]);
  rmSync(built, { recursive: true });
  return {
    app,
    installed,
    files: tarball.files.map(({ path }) => path),
    bundle: async (entry, format, globalName) => {
      const { outputFiles } = await build({
        entryPoints: [fileURLToPath(entry)],
        alias: { "#receiver/index.ts": join(installed, "index.js") },
        bundle: true,
        write: false,
        format,
        platform: "neutral",
        ...(globalName === undefined ? {} : { globalName }),
      });
      return outputFiles[0]?.text ?? "";
    },
    remove: () => rmSync(app, { recursive: true, force: true }),
  };
}
