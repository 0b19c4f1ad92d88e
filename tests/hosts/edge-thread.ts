// One edge isolate of the fixture, in a thread of its own: see edge-instance.ts.
import { parentPort, workerData } from "node:worker_threads";

import { type EdgeIsolate, openEdgeIsolate } from "../support/edge-isolate.ts";
import type { FunctionRequest } from "./function-host.ts";

export interface EdgeThreadData {
  /** Imported first. */
  preload: string;
  buildFolder: string;
  path: string;
  env: Record<string, string>;
  /** 0 while the isolate is frozen. */
  gate: Int32Array<SharedArrayBuffer>;
}

/** The status of a response that is out, or where the isolate is. */
export type EdgeThreadMessage = number | "ready" | "at rest";

const { preload, buildFolder, path, env, gate } = workerData as EdgeThreadData;

void import(preload).then(() => {
  const isolate = openEdgeIsolate({ buildFolder, route: `${path}/route`, env });
  // A request comes in over a network: before it is seen, the isolate's loop goes round once.
  parentPort?.on("message", (request: FunctionRequest) => setImmediate(() => void answer(isolate, request)));
  tell("ready");
});

async function answer(isolate: EdgeIsolate, { query, ...init }: FunctionRequest): Promise<void> {
  const response = await isolate.call(path + query, init);
  await response.arrayBuffer();
  tell(response.status);
  await allRegistered(isolate);
  freeze();
}

/** What is registered may register more. With nothing registered, nothing else gets a turn before this resolves. */
async function allRegistered({ waitedFor }: EdgeIsolate): Promise<void> {
  for (let seen = 0; seen < waitedFor.length;) {
    seen = waitedFor.length;
    await Promise.allSettled(waitedFor);
  }
}

function freeze(): void {
  Atomics.store(gate, 0, 0);
  tell("at rest");
  Atomics.wait(gate, 0, 0);
}

function tell(message: EdgeThreadMessage): void {
  parentPort?.postMessage(message);
}
