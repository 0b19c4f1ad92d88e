import { fork } from "node:child_process";
import { cpSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { atExit } from "../support/at-exit.ts";
import { eventually } from "../support/eventually.ts";

/** What `vercel build` decided about a function. https://vercel.com/docs/build-output-api/primitives */
export interface FunctionConfig {
  runtime: string;
  maxDuration?: number;
  entrypoint?: string;
  handler?: string;
  /** Files the function takes from the project, by the place they have in it. */
  filePathMap?: Record<string, string>;
}

/** The function's folder; several routes may share one. */
function functionFolder(output: string, path: string): string {
  return realpathSync(join(output, "functions", `${path}.func`));
}

export function readFunctionConfig(output: string, path: string): FunctionConfig {
  return JSON.parse(readFileSync(join(functionFolder(output, path), ".vc-config.json"), "utf8")) as FunctionConfig;
}

/** The routes that one function serves, this one among them; each has a second path in the output, for components. */
export function sharingFunction(output: string, path: string): string[] {
  const folder = join(output, "functions");
  const own = functionFolder(output, path);
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".func"))
    .map((name) => name.slice(0, -".func".length))
    .filter((other) => !/\.(func|rsc)\b/.test(other) && functionFolder(output, other) === own);
}

/** The code of an edge function: an ES module whose only export is what a host calls. */
export function edgeEntrypoint(output: string, path: string): string {
  const { entrypoint = "index.js" } = readFunctionConfig(output, path);
  return join(functionFolder(output, path), entrypoint);
}

export interface Lambda {
  url: string;
  /** How many promises were given to `waitUntil`, and resolves once they have all settled. */
  waitedFor(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a Node function of the output, with the files it asks for and nothing else, as the platform would. */
export async function startLambda(output: string, path: string, env: Record<string, string>): Promise<Lambda> {
  const folder = functionFolder(output, path);
  const project = dirname(dirname(output));
  const { filePathMap = {} } = readFunctionConfig(output, path);
  for (const [target, source] of Object.entries(filePathMap)) {
    const [from, to] = [join(project, source), join(folder, target)];
    if (existsSync(to)) continue;
    mkdirSync(dirname(to), { recursive: true });
    try {
      linkSync(from, to);
    } catch {
      // A folder, or another file system.
      cpSync(from, to, { recursive: true, dereference: true });
    }
  }
  const child = fork(fileURLToPath(new URL("./lambda-process.ts", import.meta.url)), [folder], {
    execArgv: ["--import", "tsx"],
    env: { PATH: process.env["PATH"], NODE_ENV: "production", VERCEL: "1", ...env },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const abandon = () => child.kill("SIGKILL");
  void exited.then(atExit(abandon));

  let registered = 0;
  let settled = 0;
  const port = await new Promise<number>((resolve, reject) => {
    void exited.then(() => reject(new Error("The function ended before it listened")));
    child.on("message", (message: { port?: number; registered?: true; settled?: true }) => {
      if (message.port !== undefined) resolve(message.port);
      if (message.registered) registered += 1;
      if (message.settled) settled += 1;
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    waitedFor: () =>
      eventually("all that was registered has settled", () => registered > 0 && settled === registered && registered),
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
