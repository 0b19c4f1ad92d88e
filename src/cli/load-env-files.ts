import { createRequire } from "node:module";

interface NextEnv {
  loadEnvConfig(
    folder: string,
    isDev: boolean,
    log: { info: () => void; error: (...said: unknown[]) => void },
  ): unknown;
}

/**
 * Loads `.env.local`, `.env.production` and `.env` of the folder `root` into `process.env`; variables that are set already
 * stay. It uses the loader of Next itself, so that the commands and the server see the same values.
 */
export function loadEnvFiles(root: string): void {
  const fromNext = createRequire(createRequire(import.meta.url).resolve("next/package.json"));
  const { loadEnvConfig } = fromNext("@next/env") as NextEnv;
  loadEnvConfig(root, false, { info: () => {}, error: console.error });
}
