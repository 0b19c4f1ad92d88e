// The process of one Node function; node-instance.ts starts it.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createRequire } from "node:module";
import { join } from "node:path";

type WaitUntil = (promise: Promise<unknown>) => void;

/** The module that Next builds from a route and that a platform's launcher calls. */
interface NodeFunction {
  handler(request: IncomingMessage, response: ServerResponse, context: { waitUntil: WaitUntil }): Promise<void>;
}

const [, path = "", preload = ""] = process.argv;
let open = 0;
let registered = 0;

const waitUntil: WaitUntil = (promise) => {
  registered += 1;
  void Promise.allSettled([promise]).then(() => {
    registered -= 1;
    freezeAtRest();
  });
};

/** Stops this process as a platform freezes a function: nothing in it runs until it is continued. */
function freezeAtRest(): void {
  if (open === 0 && registered === 0) process.kill(process.pid, "SIGSTOP");
}

function serve({ handler }: NodeFunction): void {
  const server = createServer((request, response) => {
    open += 1;
    // The last byte of the response has been passed to the operating system.
    response.once("finish", () => {
      open -= 1;
      freezeAtRest();
    });
    void handler(request, response, { waitUntil });
  });
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
}

process.on("disconnect", () => process.exit());
(globalThis as Record<symbol, unknown>)[Symbol.for("@vercel/request-context")] = { get: () => ({ waitUntil }) };
void import(preload).then(async () => {
  const load = createRequire(join(process.cwd(), "package.json"));
  // A module with a top-level await exports a promise.
  serve(await (load(`./.next/server/app${path}/route.js`) as NodeFunction | Promise<NodeFunction>));
});
