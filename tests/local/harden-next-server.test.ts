import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, onTestFinished, test } from "vitest";

import { hardenNextServer } from "#local/harden-next-server.ts";

import { eventually } from "../support/eventually.ts";
import { head, openRawClient } from "./raw-client.ts";

/** A server like that of Next, which listens and takes a connection before the instrumentation is called. */
async function startServer() {
  const held: ServerResponse[] = [];
  const server = createServer((request, response) => {
    if (request.url === "/held") held.push(response);
    else response.end(`served ${request.url}`);
  }).unref();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => server.closeAllConnections());
  const client = await openRawClient((server.address() as AddressInfo).port);
  return { server, client, held };
}

test("a connection that was opened before is hardened with the first request on it", async () => {
  const { client } = await startServer();
  await client.send(head("GET /before"));
  await client.until("served /before");
  onTestFinished(hardenNextServer({}, () => undefined));
  await client.send(head("TRACE /refused"));
  expect(await client.until("error")).toContain("HTTP/1.1 405");
});

test("of a request that began before, the end is enough: stopping leaves the port open for our own forwards", async () => {
  const { server, client, held } = await startServer();
  await client.send(head("GET /held"));
  await eventually("the request is under way", () => held.length === 1);
  onTestFinished(hardenNextServer({}, () => undefined));
  held[0]?.end("the end");
  await client.until("the end");
  await new Promise<void>((resolve) => server.close(() => resolve()));
  const forward = await openRawClient((server.address() as AddressInfo).port);
  await forward.send(head("POST /api/internal/fallback-ingestion"));
  expect(await forward.until("served")).toContain("HTTP/1.1 200");
  const late = await openRawClient((server.address() as AddressInfo).port);
  await late.send(head("GET /late"));
  expect(await late.until("STOPPING")).toContain("HTTP/1.1 503");
});
