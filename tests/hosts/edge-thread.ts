// The thread of one edge isolate; edge-instance.ts starts it.
import { parentPort, workerData } from "node:worker_threads";

import { type EdgeIsolate, openEdgeIsolate } from "../support/edge-isolate.ts";
import type { FunctionRequest } from "./function-host.ts";

export interface EdgeThreadData {
  /** The URL of a module that is imported before all others. */
  preload: string;
  buildFolder: string;
  path: string;
  env: Record<string, string>;
  /** 0 while the isolate is frozen. */
  gate: Int32Array<SharedArrayBuffer>;
}

/** The status of a response that has been sent, or the state of the isolate. */
export type EdgeThreadMessage = number | "ready" | "at rest";

const { preload, buildFolder, path, env, gate } = workerData as EdgeThreadData;

void import(preload).then(() => {
  const isolate = openEdgeIsolate({ buildFolder, route: `${path}/route`, env });
  // A real request arrives over a network, so the isolate's event loop runs once before the request is seen.
  parentPort?.on("message", (request: FunctionRequest) => setImmediate(() => void answer(isolate, request)));
  post("ready");
});

async function answer(isolate: EdgeIsolate, { query, ...init }: FunctionRequest): Promise<void> {
  const response = await isolate.call(path + query, init);
  await response.arrayBuffer();
  post(response.status);
  await allRegistered(isolate);
  freeze();
}

/** Registered work may register more. With nothing registered this resolves before any timer or I/O callback runs. */
async function allRegistered({ waitedFor }: EdgeIsolate): Promise<void> {
  for (let seen = 0; seen < waitedFor.length;) {
    seen = waitedFor.length;
    await Promise.allSettled(waitedFor);
  }
}

function freeze(): void {
  Atomics.store(gate, 0, 0);
  post("at rest");
  Atomics.wait(gate, 0, 0);
}

function post(message: EdgeThreadMessage): void {
  parentPort?.postMessage(message);
}
