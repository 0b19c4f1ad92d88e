import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

import { sendSignal } from "#local/processes.ts";

import { eventually } from "../support/eventually.ts";
import { compile } from "./compile.ts";
import { type FunctionInstance, hostLimitMs } from "./function-host.ts";
import { isStopped } from "./is-stopped.ts";
import { sendHttp } from "./send-http.ts";

export interface NodeInstanceOptions {
  /** The URL of a module that is imported before all others. */
  preload: string;
  /** The built app, in which the function's process runs. */
  folder: string;
  path: string;
  env: Record<string, string>;
}

let script: Promise<string> | undefined;

/**
 * Opens a Node function in a process of its own, which stops itself at the moment at which a platform freezes it. Windows
 * cannot stop a process. Rejects if the process ends before it listens.
 */
export async function openNodeInstance({ preload, folder, path, env }: NodeInstanceOptions): Promise<FunctionInstance> {
  script ??= compile(new URL("./node-process.ts", import.meta.url));
  const child = spawn(process.execPath, ["-e", await script, path, preload], {
    cwd: folder,
    env: { PATH: process.env["PATH"], NODE_ENV: "production", ...env },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("The process of the Node function could not be started");
  const watcher = killWithUs(pid);
  const isEnded = () => child.exitCode !== null || child.signalCode !== null;
  const ended = once(child, "exit").then(() => watcher.kill("SIGKILL"));
  const [port] = (await Promise.race([once(child, "message"), ended.then(() => [])])) as number[];
  if (port === undefined) throw new Error("The process of the Node function ended before it listened");

  return {
    send({ query, ...init }) {
      sendSignal(pid, "SIGCONT");
      // The request fails if the function ends before it has answered.
      const status = sendHttp(`http://127.0.0.1:${port}${path}${query}`, init).catch(() => null);
      const rest = status.then(async () => {
        await eventually("the Node function is at rest", () => isEnded() || isStopped(pid), hostLimitMs);
        return isEnded() ? "ended" : "frozen";
      });
      return { status, rest };
    },
    async end() {
      sendSignal(pid, "SIGKILL");
      await ended;
    },
    isEnded,
  };
}

/** Kills a process when this one ends in any way: while it is stopped, it cannot end itself. */
function killWithUs(pid: number): ChildProcess {
  return spawn("sh", ["-c", 'read _; kill -KILL "$0"', String(pid)], { stdio: ["pipe", "ignore", "ignore"] });
}
