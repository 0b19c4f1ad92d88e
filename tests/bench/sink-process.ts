/**
 * The far side of the servers under test, in a process of its own so that its CPU time is not theirs: a QStash that
 * answers after so long or never, and the relay's own Node routes, which accept everything at once. See sink.ts.
 */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

import type { SinkQuestion, SinkState } from "./sink.ts";

let requests = 0;
let published = 0;
let delayMs: number | null = 0;
let open = 0;
let lastAtMs = performance.now();
/** What answers those who still wait. */
const waiting = new Set<() => void>();

const qstash = listen((_request, response) => {
  published += 1;
  const answer = () => response.writeHead(201, json).end('{"messageId":"msg_bench"}');
  if (delayMs === 0) {
    answer();
    return;
  }
  const timer = delayMs === null ? undefined : setTimeout(release, delayMs);
  function release() {
    clearTimeout(timer);
    waiting.delete(release);
    answer();
  }
  waiting.add(release);
  response.once("close", () => {
    clearTimeout(timer);
    waiting.delete(release);
  });
});
const relay = listen((_request, response) => {
  // What the fallback ingestion answers, by which the relay knows it; the reports' answer is not read.
  response.writeHead(200, json).end('{"inserted":1,"duplicates":0}');
});
const json = { "content-type": "application/json" };

process.on("disconnect", () => process.exit());
process.on("message", (question: SinkQuestion) => {
  if (question.delayMs !== undefined) {
    delayMs = question.delayMs;
    for (const release of waiting) release();
  }
  void Promise.all([qstash, relay]).then(([qstashUrl, relayUrl]) => {
    const answer: SinkState = { qstashUrl, relayUrl, requests, published, open, quietMs: performance.now() - lastAtMs };
    process.send?.({ answer });
  });
});

/** The address. The listener is called when the whole request is there. */
async function listen(listener: RequestListener): Promise<string> {
  const server = createServer((request, response) => {
    requests += 1;
    open += 1;
    lastAtMs = performance.now();
    response.once("close", () => {
      open -= 1;
      lastAtMs = performance.now();
    });
    request.once("end", () => listener(request, response)).resume();
  });
  // An idle connection is for the client to close, which else might be about to use it.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", 4_096, resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
