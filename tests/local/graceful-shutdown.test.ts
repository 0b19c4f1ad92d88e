import { createServer, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { expect, onTestFinished, test } from "vitest";

import { hardenServer } from "#local/harden-server.ts";

import { eventually } from "../support/eventually.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { head, openRawClient } from "./raw-client.ts";

test("a server that is asked to stop says so to its balancer, serves on until the delay is over, and then drains", async () => {
  const clock = createManualClock();
  const held: ServerResponse[] = [];
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    if (request.url === "/held") held.push(response);
    else response.end(`served ${request.url}`);
  }).unref();
  hardenServer(server, {
    internalPath: "/api/internal/",
    readyPath: "/api/ready",
    leaveMs: 5_000,
    webhook: { path: "/hook", header: "x-signature", pattern: /^good$/, bytesMax: 1_000 },
    limits: { headTimeoutMs: 60_000, bodyTimeoutMs: 60_000, answerTimeoutMs: 60_000, drainBytesMax: 1_000 },
    bodies: { smallBytesMax: 100, largeBodiesMax: 1, paths: [] },
    shortAnswerPaths: [],
    connectionsMax: undefined,
    findDirectAnswer: () => undefined,
    clock,
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => server.closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const ask = async (path: string) => {
    const client = await openRawClient(port);
    await client.send(head(`GET ${path}`));
    await client.closed;
    return client.heard();
  };

  const slow = await openRawClient(port);
  await slow.send(head("GET /held"));
  await eventually("a request is under way", () => held.length === 1);
  const kept = await openRawClient(port);
  await kept.send(head("GET /api/ready"));
  expect(await kept.until("served")).toContain("HTTP/1.1 200");

  let isDrained = false;
  server.close(() => (isDrained = true));
  expect(await ask("/api/ready")).toMatch(/^HTTP\/1.1 503 [^]*STOPPING/);
  expect(await ask("/page")).toMatch(/^HTTP\/1.1 200 OK\r\nconnection: close\r\n[^]*served \/page$/i);
  await kept.send(head("GET /page"));
  // The answer closes a connection that was kept, so that its client's next request goes elsewhere.
  await kept.closed;
  expect(kept.heard()).toContain("served /page");

  await clock.advance(5_000);
  expect(await ask("/page")).toMatch(/^HTTP\/1.1 503 [^]*STOPPING/);
  const internal = await openRawClient(port);
  await internal.send(head("POST /api/internal/fallback-ingestion"));
  expect(await internal.until("served")).toContain("HTTP/1.1 200");
  expect(isDrained).toBe(false);
  held[0]?.end("at last");
  expect(await slow.until("at last")).toContain("HTTP/1.1 200");
  await eventually("the server is drained", () => isDrained);
});
