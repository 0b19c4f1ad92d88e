import { fileURLToPath } from "node:url";

import { build } from "esbuild";

/**
 * A file of ours, with what it imports of ours, as a script for a fresh thread or process: a loader for TypeScript in
 * each of them would take longer than all it is there for. Packages stay outside.
 */
export async function compile(file: URL): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(file)],
    bundle: true,
    write: false,
    platform: "node",
    packages: "external",
    target: "node20",
    define: { "import.meta.url": JSON.stringify(file.href) },
  });
  return `((require) => {
${outputFiles[0]?.text}
})(require("node:module").createRequire(${JSON.stringify(file.href)}))`;
}
