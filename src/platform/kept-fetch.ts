/** A build may give instrumentation.ts and each route its own copy of this module, but they share the global object. */
const keptFetch = Symbol.for("instagram-webhook-relay.fetch");
type Process = typeof globalThis & { [keptFetch]?: typeof fetch };

/** Keeps the process's `fetch` as it is, before Next puts its data cache and its spans before it. */
export function keepFetch(): void {
  (globalThis as Process)[keptFetch] = globalThis.fetch;
}

/** The `fetch` that was kept; else the one of now. */
export function readKeptFetch(): typeof fetch {
  return (globalThis as Process)[keptFetch] ?? globalThis.fetch;
}
