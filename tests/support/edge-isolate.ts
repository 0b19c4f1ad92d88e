import { AsyncLocalStorage } from "node:async_hooks";
import * as asyncHooks from "node:async_hooks";
import * as buffer from "node:buffer";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";

import { EdgeVM } from "@edge-runtime/vm";

export const productBuild = fileURLToPath(new URL("../../.next/", import.meta.url));

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

/** Loads an edge function of the real build, as `next start` finds it, into a fresh isolate. */
export function openEdgeIsolate({ route, buildFolder = productBuild, ...options }: EdgeIsolateOptions): EdgeIsolate {
  const edgeFunction = readEdgeFunctions(buildFolder)[route];
  if (edgeFunction === undefined) throw new Error(`${route} is not an edge function of this build`);
  const { vm, open } = createEdgeVm({ ...options, env: { ...edgeFunction.env, ...options.env } });
  for (const file of edgeFunction.files) {
    new Script(readFileSync(buildFolder + file, "utf8"), { filename: file }).runInContext(vm.context);
  }
  const { handler } = vm.evaluate<{ handler: Handle }>(
    `_ENTRIES[${JSON.stringify(`middleware_${edgeFunction.name}`)}]`,
  );
  return open(handler);
}

/** Loads the one file that `vercel build` makes of an edge function, an ES module, into a fresh isolate. */
export function openEdgeArtefact(
  file: string,
  options: Omit<EdgeIsolateOptions, "route" | "buildFolder">,
): EdgeIsolate {
  const { vm, open } = createEdgeVm(options);
  const source = readFileSync(file, "utf8");
  const exportAt = source.lastIndexOf("export default");
  if (exportAt < 0) throw new Error(`${file} exports nothing`);
  const script = `"use strict";${source.slice(0, exportAt)}globalThis.handle =${source.slice(exportAt + "export default".length)}`;
  new Script(script, { filename: file }).runInContext(vm.context);
  return open(vm.evaluate<Handle>("handle"));
}

type WaitUntil = (promise: Promise<unknown>) => void;
type Handle = (request: Request, context: { waitUntil?: WaitUntil }) => Promise<Response>;

/**
 * A fresh `@edge-runtime/vm` with what a host must give it: `require` for the few Node modules of the edge, its
 * environment, `AsyncLocalStorage` and a request context with `waitUntil`.
 */
function createEdgeVm({ env, takesPromises = true }: Pick<EdgeIsolateOptions, "env" | "takesPromises">) {
  const waitedFor: Promise<unknown>[] = [];
  const waitUntil: WaitUntil = (promise) => {
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
        process: { env: { NODE_ENV: "production", NEXT_RUNTIME: "edge", ...env } },
        require: (id: string) => modules[id],
        AsyncLocalStorage,
        performance,
        console: { debug: write, info: write, warn: write, error: write, log: write },
        ...(takesPromises ? { [Symbol.for("@vercel/request-context")]: { get: () => ({ waitUntil }) } } : {}),
      });
    },
  });
  const open = (handle: Handle): EdgeIsolate => {
    const VmRequest = vm.evaluate<typeof Request>("Request");
    return {
      waitedFor,
      lines,
      call: (path, init = {}) =>
        handle(new VmRequest(`https://relay.example${path}`, init as RequestInit), takesPromises ? { waitUntil } : {}),
    };
  };
  return { vm, open };
}
