import { openEdgeInstance } from "../hosts/edge-instance.ts";
import { createFunctionHost, type FunctionHost } from "../hosts/function-host.ts";
import { openNodeInstance } from "../hosts/node-instance.ts";
import { startRunningServer } from "../hosts/running-host.ts";
import { buildFixture } from "./build-fixture.ts";
import { appSecret } from "./measure-row.ts";
import { type QstashModel, startQstashModel } from "./qstash-model.ts";
import { slowLookupPreload } from "./slow-lookup.ts";

/** A model of a host. `deadline` is an ended edge isolate or a frozen Node function that is killed after two seconds. */
export interface Model {
  runtime: "edge" | "nodejs";
  host: "running" | "frozen" | "ended" | "deadline";
}

/** In the order of the table. Windows cannot stop a process by a signal. */
export const models: readonly Model[] = [
  { runtime: "edge", host: "running" },
  { runtime: "edge", host: "frozen" },
  { runtime: "edge", host: "ended" },
  { runtime: "edge", host: "deadline" },
  { runtime: "nodejs", host: "running" },
  ...(process.platform === "win32"
    ? []
    : ([
        { runtime: "nodejs", host: "frozen" },
        { runtime: "nodejs", host: "deadline" },
      ] as const)),
];

export interface Lab {
  qstash: QstashModel;
  /** Opens a host, which the caller closes. */
  open(model: Model): FunctionHost;
  close(): Promise<void>;
}

/** For a request and its registered work together. A QStash that takes 3 s exceeds it. Platforms allow more. */
const deadlineMs = 2_000;

export interface LabOptions {
  /** How long it takes to open a connection to QStash. */
  connectMs: number;
  note: (text: string) => void;
}

/** Opens the fixture, which it builds if necessary, the QStash model and the running server. The caller closes it. */
export async function openLab({ connectMs, note }: LabOptions): Promise<Lab> {
  const folder = await buildFixture(note);
  const qstash = await startQstashModel();
  const env = { INSTAGRAM_APP_SECRET: appSecret, QSTASH_URL: qstash.url };
  const preload = slowLookupPreload(connectMs);
  const server = await startRunningServer({ preload, folder, env });

  const openEdge = () => openEdgeInstance({ preload, buildFolder: `${folder}/.next/`, path: "/edge", env });
  const openNode = () => openNodeInstance({ preload, folder, path: "/node", env });
  return {
    qstash,
    open({ runtime, host }) {
      const isEdge = runtime === "edge";
      const open = isEdge ? openEdge : openNode;
      switch (host) {
        case "running":
          return server.host(isEdge ? "/edge" : "/node");
        case "frozen":
        case "ended":
          return createFunctionHost({ open, atRest: host });
        case "deadline":
          return createFunctionHost({ open, atRest: isEdge ? "ended" : "frozen", deadlineMs });
      }
    },
    async close() {
      await server.stop();
      await qstash.close();
    },
  };
}
