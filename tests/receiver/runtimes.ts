/** Three hosts of one bundle, each with a real HTTP server. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Script } from "node:vm";

import { EdgeVM } from "@edge-runtime/vm";
import { getRequestListener } from "@hono/node-server";

export interface Host {
  url: string;
  stop(): Promise<void>;
}

interface App {
  fetch(request: Request): Response | Promise<Response>;
}

/** Node with @hono/node-server. `script` is an ES module whose default export is the app. */
export async function startOnNode(script: string, folder: string): Promise<Host> {
  const file = join(folder, "node-app.mjs");
  writeFileSync(file, script);
  const { default: app } = (await import(pathToFileURL(file).href)) as { default: App };
  return listen((request) => app.fetch(request));
}

/** The edge VM behind an HTTP server of Node's. `script` leaves the app in the global `bundled`. */
export async function startOnEdge(script: string): Promise<Host> {
  const vm = new EdgeVM({ codeGeneration: { strings: false, wasm: false } });
  new Script(script).runInContext(vm.context);
  // Requests and their bodies are made of the VM's own classes, as a platform does it.
  const call = vm.evaluate<(request: Request, reader: Reader | undefined) => Promise<Response>>(`
    async ({ url, method, headers }, reader) => bundled.default.fetch(new Request(url, {
      method,
      headers: [...headers],
      duplex: "half",
      body: reader && new ReadableStream({
        async pull(controller) {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(new Uint8Array(value));
        },
        cancel: () => reader.cancel(),
      }),
    }))`);
  const fetch = async (request: Request) => {
    const response = await call(request, request.body?.getReader());
    return new Response(await response.text(), { status: response.status, headers: [...response.headers] });
  };
  return listen(fetch);
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** Cloudflare's workerd, whose program is `binary`. */
export async function startOnWorkerd(script: string, folder: string, binary: string): Promise<Host> {
  writeFileSync(join(folder, "worker.mjs"), script);
  const config = join(folder, "config.capnp");
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker", esModule = embed "worker.mjs")],
    compatibilityDate = "2026-01-01",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`,
  );
  const child = spawn(binary, ["serve", config, "--control-fd=3"], { stdio: ["ignore", "inherit", "inherit", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    let text = "";
    child.stdio[3]?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const found = /"port":(\d+)/.exec(text)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
    child.once("error", reject);
    void ended.then(() => reject(new Error("workerd ended before it listened")));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      child.kill();
      return ended;
    },
  };
}

async function listen(fetch: App["fetch"]): Promise<Host> {
  const listener = getRequestListener(fetch, { overrideGlobalObjects: false });
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
