import { Worker } from "node:worker_threads";

import type { EdgeIsolateOptions } from "./edge-isolate.ts";

export interface EdgeHostOptions extends EdgeIsolateOptions {
  path: string;
  headers: Record<string, string>;
  body: Uint8Array;
  /** Whether the isolate lives until what was given to `waitUntil` has settled, or only until its response. */
  honoursWaitUntil: boolean;
}

/**
 * A platform in small: one worker per isolate. One that does not honour `waitUntil` is ended with its response:
 * `@edge-runtime/vm` alone ends nothing, so in it work that was merely started would survive and hide the bug. One that
 * does is left to end by itself, which it can only when no timer and no request is left in it.
 */
export function runOnEdgeHost(options: EdgeHostOptions): Promise<{ status: number }> {
  const worker = new Worker(startTypeScript(new URL("./edge-host-worker.ts", import.meta.url)), {
    eval: true,
    workerData: options,
  });
  return new Promise((resolve, reject) => {
    let status = 0;
    worker.on("error", reject);
    worker.on("message", (message: { status: number }) => {
      status = message.status;
    });
    worker.on("exit", () => resolve({ status }));
  });
}

/** A worker takes no TypeScript by itself: the loader comes first. */
function startTypeScript(file: URL): string {
  return `import("tsx/esm/api").then(({ register }) => { register(); return import(${JSON.stringify(file.href)}); })`;
}
