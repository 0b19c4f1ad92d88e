/** The name under which the receiver is published. */
export const packageName = "instagram-webhook-receiver";

/** The entries by their path in the package; each is a file of `src/receiver`. */
export const entries = { ".": "index", "./explain": "explain", "./drift": "drift" } as const;

/** The package.json of the package: no dependency, modules only, nothing that runs when it is imported. */
export function createManifest(version: string): string {
  const target = (name: string) => ({ types: `./types/receiver/${name}.d.ts`, default: `./${name}.js` });
  const exports = Object.fromEntries(Object.entries(entries).map(([path, name]) => [path, target(name)]));
  const manifest = {
    name: packageName,
    version,
    description:
      "Receives Instagram webhooks on any runtime: verifies, parses into typed events with keys, answers Meta",
    keywords: ["instagram", "webhook", "meta", "x-hub-signature-256", "edge", "hono", "nextjs", "workers"],
    license: "MIT",
    type: "module",
    sideEffects: false,
    engines: { node: ">=20" },
    exports: { ...exports, "./package.json": "./package.json" },
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
