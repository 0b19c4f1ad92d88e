/** `npm run pack`: the receiver as an npm package, in the folder `.pack`. */
import { execFile } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { buildPackage } from "./pack/build-package.ts";
import { packageName } from "./pack/manifest.ts";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** Builds the package, packs it, and prints the tarball's path. Rejects if it does not compile. */
export async function run(): Promise<void> {
  const folder = join(root, ".pack", packageName);
  await buildPackage(root, folder);
  const packed = await promisify(execFile)("npm", ["pack", "--json", "--pack-destination", dirname(folder)], {
    cwd: folder,
  });
  const [tarball] = JSON.parse(packed.stdout) as { filename: string; size: number; entryCount: number }[];
  if (tarball === undefined) throw new Error("npm packed nothing");
  console.log(`.pack/${tarball.filename}: ${tarball.entryCount} files, ${tarball.size} bytes`);
}
