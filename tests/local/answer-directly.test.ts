import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, onTestFinished, test } from "vitest";

import { hardenServer } from "#local/harden-server.ts";
import { systemClock } from "#platform/clock.ts";
import type { DirectAnswer } from "#platform/direct-routes.ts";

import { eventually } from "../support/eventually.ts";

async function startServer(answer: DirectAnswer) {
  const server = createServer(
    (request, response) => void response.end(`Next: ${request.method} ${request.url}`),
  ).unref();
  hardenServer(server, {
    internalPath: "/api/internal/",
    readyPath: "/ready",
    leaveMs: 0,
    webhook: { path: "/hook", header: "x-signature", pattern: /^good$/, bytesMax: 1_000 },
    limits: { headTimeoutMs: 60_000, bodyTimeoutMs: 60_000, answerTimeoutMs: 60_000, drainBytesMax: 1_000_000 },
    bodies: { smallBytesMax: 1_000, largeBodiesMax: 1, paths: [] },
    shortAnswerPaths: [],
    connectionsMax: undefined,
    findDirectAnswer: (path) => (path === "/direct" ? answer : undefined),
    clock: systemClock,
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => server.closeAllConnections());
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const post = (path: string, init: RequestInit = {}) =>
    fetch(baseUrl + path, { method: "POST", body: "a body", ...init });
  return { server, post };
}

test("a POST with a body to exactly a direct route's path reaches its function, every other request the listeners", async () => {
  const { post } = await startServer(async (request) =>
    Response.json(
      { method: request.method, given: request.headers.get("x-given"), body: await request.text() },
      { status: 202 },
    ),
  );
  const body = "ü\0".repeat(200_000);
  const answer = await post("/direct", { body, headers: { "x-given": "a, b" } });
  expect([answer.status, answer.headers.get("x-content-type-options")]).toEqual([202, "nosniff"]);
  expect(await answer.json()).toEqual({ method: "POST", given: "a, b", body });

  const others = [
    post("/direct?x=1"),
    post("/direct/"),
    post("/direct", { body: null }),
    post("/direct", { method: "PUT" }),
    post("/direct", { method: "GET", body: null }),
  ];
  const texts = await Promise.all(others.map(async (other) => (await other).text()));
  expect(texts.every((text) => text.startsWith("Next: "))).toBe(true);
});

test("the answer of a function that leaves the body unread, or a part of it, arrives", async () => {
  const { post } = await startServer(async ({ body, headers }) => {
    if (headers.get("x-given") === "half") {
      const reader = body?.getReader();
      await reader?.read();
      await reader?.cancel();
    }
    return new Response("refused", { status: 413 });
  });
  for (const given of ["unread", "half", "unread"]) {
    const answer = await post("/direct", { body: "x".repeat(400_000), headers: { "x-given": given } });
    expect([given, answer.status, await answer.text()]).toEqual([given, 413, "refused"]);
  }
});

test("a function that rejects is answered with 500, and the process hears of it", async () => {
  const { post } = await startServer(() => Promise.reject(new Error("a fault")));
  const heard: unknown[] = [];
  const before = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection").on("unhandledRejection", (reason) => heard.push(reason));
  onTestFinished(() => {
    process.removeAllListeners("unhandledRejection");
    for (const listener of before) process.on("unhandledRejection", listener);
  });
  expect((await post("/direct")).status).toBe(500);
  await eventually("the rejection is heard", () => heard.length === 1);
});

test("a server that is asked to stop waits for the work that goes on after an answer", async () => {
  let endWork = () => {};
  const work = new Promise<void>((resolve) => {
    endWork = resolve;
  });
  const { server, post } = await startServer((_request, waitUntil) => {
    waitUntil(work);
    return Promise.resolve(new Response("answered"));
  });
  expect(await (await post("/direct")).text()).toBe("answered");
  let isDrained = false;
  server.close(() => (isDrained = true));
  expect((await post("/direct")).status).toBe(503);
  expect(isDrained).toBe(false);
  endWork();
  await eventually("the server has drained", () => isDrained);
});
