import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, onTestFinished, test } from "vitest";

import { appendClientAddress } from "#local/append-client-address.ts";

test("the last address of X-Forwarded-For is that of the connection, whatever the client sent", async () => {
  onTestFinished(appendClientAddress());
  const server = createServer((incoming, response) => response.end(incoming.headers["x-forwarded-for"]));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;

  const ask = (forwardedFor: string[]) =>
    new Promise<string>((resolve, reject) => {
      const headers = forwardedFor.length === 0 ? {} : { "x-forwarded-for": forwardedFor };
      const outgoing = request({ host: "127.0.0.1", port, headers }, (response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => (body += chunk.toString()));
        response.on("end", () => resolve(body));
      });
      outgoing.on("error", reject).end();
    });
  expect(await ask([])).toBe("127.0.0.1");
  expect(await ask(["203.0.113.7"])).toBe("203.0.113.7, 127.0.0.1");
  expect(await ask(["203.0.113.7", "198.51.100.1"])).toBe("203.0.113.7, 198.51.100.1, 127.0.0.1");
});
