import { once } from "node:events";
import { Worker } from "node:worker_threads";

import { compile } from "./compile.ts";
import type { EdgeThreadData, EdgeThreadMessage } from "./edge-thread.ts";
import type { FunctionInstance } from "./function-host.ts";

let script: Promise<string> | undefined;

/** Opens an edge isolate in a thread of its own, which blocks itself at the moment at which a platform freezes it. */
export async function openEdgeInstance(options: Omit<EdgeThreadData, "gate">): Promise<FunctionInstance> {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const workerData: EdgeThreadData = { ...options, gate };
  script ??= compile(new URL("./edge-thread.ts", import.meta.url));
  const worker = new Worker(await script, { eval: true, execArgv: [], workerData });
  let isEnded = false;
  const ended = once(worker, "exit").then(() => {
    isEnded = true;
  });
  await once(worker, "message");

  /** The next such message of the thread; null if the thread ends before. */
  const nextMessage = (matches: (message: EdgeThreadMessage) => boolean): Promise<EdgeThreadMessage | null> =>
    new Promise((resolve) => {
      const listen = (message: EdgeThreadMessage) => {
        if (!matches(message)) return;
        worker.off("message", listen);
        resolve(message);
      };
      worker.on("message", listen);
      void ended.then(() => resolve(null));
    });
  return {
    send(request) {
      const status = nextMessage((message) => typeof message === "number") as Promise<number | null>;
      const rest = nextMessage((message) => message === "at rest").then(() => (isEnded ? "ended" : "frozen"));
      worker.postMessage(request);
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
      return { status, rest };
    },
    async end() {
      await worker.terminate();
      await ended;
    },
    isEnded: () => isEnded,
  };
}
