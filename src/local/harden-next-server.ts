import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Server } from "node:http";

import { systemClock } from "#platform/clock.ts";
import type { DirectAnswer } from "#platform/direct-routes.ts";
import { type EnvRecord, readEnv } from "#platform/env.ts";

import { readOpenFilesLimit } from "./read-open-files-limit.ts";
import { hardenServer } from "./harden-server.ts";

/** The share of the files that the process may open which client connections may take. */
const connectionsShare = 0.75;

/**
 * What names a server. The second and third are for a connection that was opened before, as a balancer's or a supervisor's
 * may be that waits for the server to start, and that carries every further request: of a request that Next holds until it
 * is ready only the end is heard. https://nodejs.org/api/diagnostics_channel.html#http
 */
const channels = ["net.server.socket", "http.server.request.start", "http.server.response.finish"] as const;

/**
 * Hardens the HTTP server of the running `next start`, with the relay's paths and limits, at the latest when it has
 * answered its first request. `findDirectAnswer`: the routes that it calls itself. Next creates the server and listens before
 * it calls the instrumentation, and does not hand the server over; diagnostics channels name it. Returns what ends the watch
 * for further servers.
 */
export function hardenNextServer(
  env: EnvRecord,
  findDirectAnswer: (path: string) => DirectAnswer | undefined,
): () => void {
  const filesMax = readOpenFilesLimit();
  const machinePaths = ["/api/webhooks/", "/api/internal/", "/api/qstash/"];
  const options = {
    internalPath: "/api/internal/",
    readyPath: "/api/ready",
    leaveMs: readOrDefault(env, "DRAIN_DELAY_MS"),
    webhook: {
      path: "/api/webhooks/",
      header: "x-hub-signature-256",
      pattern: /^sha256=[0-9a-f]{64}$/,
      bytesMax: readOrDefault(env, "WEBHOOK_BODY_BYTES_MAX"),
    },
    limits: {
      headTimeoutMs: 10_000,
      // Longer than the webhook waits for a body, so that its own 408 comes first.
      bodyTimeoutMs: 12_000,
      // The consumer's handlers have 50 s.
      answerTimeoutMs: 120_000,
      drainBytesMax: 32_000_000,
    },
    bodies: {
      smallBytesMax: 128_000,
      largeBodiesMax: 8,
      paths: machinePaths,
    },
    shortAnswerPaths: machinePaths,
    findDirectAnswer,
    connectionsMax: filesMax === undefined ? undefined : Math.ceil(filesMax * connectionsShare),
    clock: systemClock,
  };
  const hardened = new WeakSet<Server>();
  const harden = (message: unknown) => {
    const { server } = (message as { socket: { server?: unknown } }).socket;
    if (!(server instanceof Server) || hardened.has(server)) return;
    hardened.add(server);
    hardenServer(server, options);
  };
  for (const channel of channels) subscribe(channel, harden);
  return () => {
    for (const channel of channels) unsubscribe(channel, harden);
  };
}

/** The default if the variable is malformed: the routes report that, with 503. */
export function readOrDefault<Name extends "WEBHOOK_BODY_BYTES_MAX" | "DRAIN_DELAY_MS">(env: EnvRecord, name: Name) {
  try {
    return readEnv(env, [name])[name];
  } catch {
    return readEnv({}, [name])[name];
  }
}
