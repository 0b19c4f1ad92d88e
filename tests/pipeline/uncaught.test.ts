import { expect, onTestFinished, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { startTestServer } from "../support/server.ts";

/** Runs first in the server's process: what a handler may leave behind happens when these addresses are asked for. */
const preload = `
import { subscribe } from "node:diagnostics_channel";
subscribe("http.server.request.start", ({ request }) => {
  if (request.url === "/icon.svg?reject") Promise.reject(new TypeError("the customer's words"));
  if (request.url === "/icon.svg?throw") setTimeout(() => { throw new RangeError("the customer's words"); });
});`;

test("what a handler leaves behind and nobody awaits is logged without its message, and the server goes on", async () => {
  const lines: string[] = [];
  const server = await startTestServer({
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}` },
    onLine: (line) => lines.push(line),
  });
  onTestFinished(async () => void (await server.stop()));
  for (const what of ["reject", "throw"]) {
    expect((await fetch(`${server.baseUrl}/icon.svg?${what}`)).status).toBe(200);
    await eventually("it is logged", () =>
      lines.some(
        (line) =>
          line.includes("process.uncaught") && line.includes(`"${what === "throw" ? "exception" : "rejection"}"`),
      ),
    );
  }
  const logged = lines.filter((line) => line.includes("process.uncaught")).map((line) => JSON.parse(line) as object);
  expect(logged).toMatchObject([
    { level: "error", kind: "rejection", cause: "TypeError" },
    { level: "error", kind: "exception", cause: "RangeError" },
  ]);
  expect(lines.join("\n")).not.toContain("customer");
  expect((await fetch(`${server.baseUrl}/icon.svg`)).status).toBe(200);
});
