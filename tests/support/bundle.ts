import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { build, type Plugin } from "esbuild";

/** Packages are found from here. */
const folder = fileURLToPath(new URL("../../node_modules/.cache/relay/bundles", import.meta.url));
const bundles = new Map<string, Promise<string>>();

/**
 * Bundles a TypeScript module with its imports, except packages, and resolves with the path of a module for a process of its
 * own. Loading TypeScript there would take three times as long as the rest of a command.
 */
export function bundle(file: URL): Promise<string> {
  const known = bundles.get(file.href) ?? write(fileURLToPath(file));
  bundles.set(file.href, known);
  return known;
}

async function write(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: "node",
    format: "esm",
    packages: "external",
    target: "node20",
    plugins: [ownPlaces],
  });
  const path = join(folder, `${basename(entry, ".ts")}.mjs`);
  mkdirSync(folder, { recursive: true });
  // Another worker may write the same at this moment, or run it.
  const own = `${path}.${process.pid}`;
  writeFileSync(own, outputFiles[0]?.text ?? "");
  renameSync(own, path);
  return path;
}

/** Each module reads its files from the folder of its source. */
const ownPlaces: Plugin = {
  name: "own places",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      loader: "ts",
      contents: readFileSync(path, "utf8")
        .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href))
        .replaceAll("import.meta.dirname", JSON.stringify(dirname(path))),
    }));
  },
};
