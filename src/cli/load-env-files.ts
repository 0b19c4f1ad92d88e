import { createRequire } from "node:module";

interface NextEnv {
  loadEnvConfig(
    folder: string,
    isDev: boolean,
    log: { info: () => void; error: (...said: unknown[]) => void },
  ): unknown;
}

/**
 * Loads `.env.local`, `.env.production` and `.env` into `process.env`, exactly as the server does; what is set already
 * stays. Next's own loader, which comes with it, so that both see the same values.
 */
export function loadEnvFiles(root: string): void {
  const fromNext = createRequire(createRequire(import.meta.url).resolve("next/package.json"));
  const { loadEnvConfig } = fromNext("@next/env") as NextEnv;
  loadEnvConfig(root, false, { info: () => {}, error: console.error });
}
