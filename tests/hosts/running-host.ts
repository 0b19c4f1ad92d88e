import { startTestServer } from "../support/server.ts";
import type { FunctionHost } from "./function-host.ts";
import { sendHttp } from "./send-http.ts";

export interface RunningServer {
  /** A host for the function at that path. */
  host(path: string): FunctionHost;
  stop(): Promise<void>;
}

export interface RunningServerOptions {
  /** The URL of a module that is imported before all others. */
  preload: string;
  /** The built app. */
  folder: string;
  env: Record<string, string>;
}

/** Starts `next start`: a process that keeps running after its responses, as on a laptop. */
export async function startRunningServer({ preload, folder, env }: RunningServerOptions): Promise<RunningServer> {
  const server = await startTestServer({ folder, env: { ...env, NODE_OPTIONS: `--import ${preload}` } });
  const host = (path: string): FunctionHost => {
    const send: FunctionHost["send"] = ({ query, ...init }) => {
      const status = sendHttp(server.baseUrl + path + query, init);
      return { status, rest: status.then(() => "running" as const) };
    };
    return {
      ready: async () => {
        await send({ method: "GET", query: "", headers: {} }).rest;
      },
      send,
      close: async () => {},
    };
  };
  return {
    host,
    stop: async () => {
      await server.stop();
    },
  };
}
