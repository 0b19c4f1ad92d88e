import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { build } from "esbuild";

import { emitDeclarations } from "./emit-declarations.ts";
import { createManifest, entries } from "./manifest.ts";

/**
 * Builds the receiver's package from the sources of the project at `root` into the folder `target`, which is emptied first:
 * modules, declarations, package.json, README and licences. Rejects if it does not compile.
 */
export async function buildPackage(root: string, target: string): Promise<void> {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  // Of this build alone: two may run at the same time.
  mkdirSync(join(root, ".pack"), { recursive: true });
  const work = mkdtempSync(join(root, ".pack/work-"));
  try {
    await Promise.all([bundle(root, target), emitDeclarations({ root, work, target: join(target, "types") })]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  writeFileSync(join(target, "package.json"), createManifest(version));
  cpSync(join(root, "src/receiver/README.md"), join(target, "README.md"));
  cpSync(join(root, "LICENSE"), join(target, "LICENSE"));
  // Parts of valibot are in the entry `drift`.
  cpSync(join(root, "node_modules/valibot/LICENSE.md"), join(target, "LICENSE-valibot.md"));
}

/** One module for each entry, and one for what they share. Not minified: the app that imports it is. */
async function bundle(root: string, target: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: Object.values(entries).map((name) => join(root, `src/receiver/${name}.ts`)),
    outdir: target,
    bundle: true,
    splitting: true,
    chunkNames: "shared-[hash]",
    format: "esm",
    platform: "neutral",
    target: "es2022",
    // As on the edge, whose table of errors has only what a webhook answers.
    conditions: ["edge-light"],
    legalComments: "none",
    logLevel: "silent",
  });
}
