import { AsyncLocalStorage } from "node:async_hooks";
import * as asyncHooks from "node:async_hooks";
import * as buffer from "node:buffer";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";

import { EdgeVM } from "@edge-runtime/vm";

const productBuild = fileURLToPath(new URL("../../.next/", import.meta.url));

interface EdgeFunction {
  files: string[];
  name: string;
  env: Record<string, string>;
}

/** The functions that Next built for the edge, by route. */
export function readEdgeFunctions(buildFolder = productBuild): Record<string, EdgeFunction> {
  const manifest = readFileSync(`${buildFolder}server/middleware-manifest.json`, "utf8");
  return (JSON.parse(manifest) as { functions: Record<string, EdgeFunction> }).functions;
}

/** The routes of the build, by path. */
export function readRoutes(): Record<string, string> {
  return JSON.parse(readFileSync(`${productBuild}server/app-paths-manifest.json`, "utf8")) as Record<string, string>;
}

export interface EdgeIsolate {
  /** Calls the function as a platform does; resolves with its response. */
  call(
    path: string,
    init?: { method?: string; headers?: Record<string, string>; body?: Uint8Array },
  ): Promise<Response>;
  /** What was given to `waitUntil`, by us or by Next. */
  waitedFor: Promise<unknown>[];
  /** What the function logged. */
  lines: Record<string, unknown>[];
}

export interface EdgeIsolateOptions {
  route: string;
  env: Record<string, string>;
  /** With a slash at the end; the product's own unless given. */
  buildFolder?: string;
  /** Whether the host takes promises, which is what it is for; else it offers no `waitUntil` at all. */
  takesPromises?: boolean;
}

/**
 * Loads an edge function of the real build into a fresh `@edge-runtime/vm` and gives it what a host must: `require` for
 * the few Node modules of the edge, its environment, `AsyncLocalStorage` and a request context with `waitUntil`.
 */
export function openEdgeIsolate({
  route,
  env,
  buildFolder = productBuild,
  takesPromises = true,
}: EdgeIsolateOptions): EdgeIsolate {
  const edgeFunction = readEdgeFunctions(buildFolder)[route];
  if (edgeFunction === undefined) throw new Error(`${route} is not an edge function of this build`);
  const waitedFor: Promise<unknown>[] = [];
  const waitUntil = (promise: Promise<unknown>) => {
    waitedFor.push(promise);
  };
  const lines: Record<string, unknown>[] = [];
  const write = (line: unknown) => {
    lines.push(JSON.parse(String(line)) as Record<string, unknown>);
  };
  const vm = new EdgeVM({
    codeGeneration: { strings: false, wasm: false },
    extend: (context) => {
      const modules: Record<string, unknown> = {
        async_hooks: asyncHooks,
        "node:async_hooks": asyncHooks,
        "node:buffer": buffer,
      };
      return Object.assign(context, {
        process: { env: { ...edgeFunction.env, NODE_ENV: "production", NEXT_RUNTIME: "edge", ...env } },
        require: (id: string) => modules[id],
        AsyncLocalStorage,
        performance,
        console: { info: write, warn: write, error: write, log: write },
        ...(takesPromises ? { [Symbol.for("@vercel/request-context")]: { get: () => ({ waitUntil }) } } : {}),
      });
    },
  });
  for (const file of edgeFunction.files) {
    new Script(readFileSync(buildFolder + file, "utf8"), { filename: file }).runInContext(vm.context);
  }
  const entry = vm.evaluate<{
    handler(request: Request, context: { waitUntil?: typeof waitUntil }): Promise<Response>;
  }>(`_ENTRIES[${JSON.stringify(`middleware_${edgeFunction.name}`)}]`);
  const VmRequest = vm.evaluate<typeof Request>("Request");
  return {
    waitedFor,
    lines,
    call: (path, init = {}) =>
      entry.handler(
        new VmRequest(`https://relay.example${path}`, init as RequestInit),
        takesPromises ? { waitUntil } : {},
      ),
  };
}
