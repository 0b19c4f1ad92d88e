import { buildFixture } from "./build-fixture.ts";
import { openEdgeInstance } from "../hosts/edge-instance.ts";
import { createFunctionHost, type FunctionHost } from "../hosts/function-host.ts";
import { openNodeInstance } from "../hosts/node-instance.ts";
import { startRunningServer } from "../hosts/running-host.ts";
import { appSecret } from "./measure-row.ts";
import { type QstashModel, startQstashModel } from "./qstash-model.ts";
import { roadPreload } from "./road.ts";

/** A model of a host. `deadline` is the one before it with a limit for a request and what it registered, together. */
export interface Model {
  runtime: "edge" | "nodejs";
  host: "running" | "frozen" | "ended" | "deadline";
}

/** In the order of the table. Windows cannot stop a process. */
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
  /** A host of its own, to be closed. */
  open(model: Model): FunctionHost;
  close(): Promise<void>;
}

/** Platforms allow more. QStash at three seconds is beyond this one, as a silent one is beyond theirs. */
const deadlineMs = 2_000;

export interface LabOptions {
  /** How long it takes to open a connection to QStash. */
  roadMs: number;
  note: (text: string) => void;
}

/** The fixture, built if need be, and all that its hosts have in common. */
export async function openLab({ roadMs, note }: LabOptions): Promise<Lab> {
  const folder = await buildFixture(note);
  const qstash = await startQstashModel();
  const env = { INSTAGRAM_APP_SECRET: appSecret, QSTASH_URL: qstash.url };
  const preload = roadPreload(roadMs);
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
