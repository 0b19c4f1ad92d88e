import { fileURLToPath } from "node:url";

import { build } from "esbuild";

/**
 * Bundles a TypeScript file with its imports, except packages, into a script for a new thread or process. Loading a
 * TypeScript loader there would take longer than everything else that the script does.
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
