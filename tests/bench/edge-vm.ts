import { fileURLToPath } from "node:url";

import { EdgeVM } from "@edge-runtime/vm";
import { build } from "esbuild";

import type { prepare } from "./edge-code.ts";

export interface EdgeVm {
  prepare: typeof prepare;
}

/** Compiles edge-code.ts, and what it imports of `src`, into an edge VM. */
export async function openEdgeVm(): Promise<EdgeVm> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("edge-code.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "edgeCode",
    target: "es2023",
  });
  const vm = new EdgeVM({ codeGeneration: { strings: false, wasm: false } });
  return vm.evaluate(`${outputFiles[0]?.text}; edgeCode`);
}
