// One Node function of `.vercel/output`, in a process of its own as on the platform: see vercel-output.ts.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

type Launcher = (request: IncomingMessage, response: ServerResponse) => void;

const folder = process.argv[2] ?? "";

// What the platform lends a function before it loads it; the launcher hands it on to Next.
const waitUntil = (promise: Promise<unknown>) => {
  process.send?.({ registered: true });
  void promise.finally(() => process.send?.({ settled: true }));
};
Object.assign(globalThis, { [Symbol.for("@vercel/request-context")]: { get: () => ({ waitUntil }) } });

const require = createRequire(join(folder, "launcher"));
const { handler } = require("./.vc-config.json") as { handler: string };
const launcher = require(`./${handler}`) as Launcher;
const server = createServer(launcher).listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.({ port: typeof address === "object" ? address?.port : undefined });
});
