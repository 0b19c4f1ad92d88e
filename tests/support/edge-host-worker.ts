// One edge isolate, in a worker of its own: see edge-host.ts.
import { parentPort, workerData } from "node:worker_threads";

import type { EdgeHostOptions } from "./edge-host.ts";
import { openEdgeIsolate } from "./edge-isolate.ts";

const { path, headers, body, honoursWaitUntil, ...options } = workerData as EdgeHostOptions;
const isolate = openEdgeIsolate(options);
const response = await isolate.call(path, { method: "POST", headers, body });
parentPort?.postMessage({ status: response.status });
// From here, not by the other thread: a busy machine may let that one wait until the work has gone on. In a worker it ends
// the worker alone, after its messages.
if (!honoursWaitUntil) process.exit();
