import { subscribe } from "node:diagnostics_channel";
import { Server } from "node:http";

import { systemClock } from "#platform/clock.ts";
import { type EnvRecord, readEnv } from "#platform/env.ts";

import { readOpenFilesLimit } from "./open-files-limit.ts";
import { tendServer } from "./tend-server.ts";

/** The part of the process's files that strangers' connections may take. */
const connectionsShare = 0.75;

/**
 * Tends the server that loads us, with the relay's own paths and limits, from its first connection on: Next creates it
 * before it loads us, and this channel is the first that names it.
 */
export function hostRelay(env: EnvRecord): void {
  const filesMax = readOpenFilesLimit();
  const options = {
    internalPath: "/api/internal/",
    webhook: {
      path: "/api/webhooks/",
      header: "x-hub-signature-256",
      pattern: /^sha256=[0-9a-f]{64}$/,
      bytesMax: readWebhookBytesMax(env),
    },
    limits: {
      headTimeoutMs: 10_000,
      // Longer than the webhook itself waits for a body, so that its own 408 comes first where it can.
      bodyTimeoutMs: 12_000,
      // The consumer's handlers have 50 s.
      answerTimeoutMs: 120_000,
      drainBytesMax: 32_000_000,
    },
    bodies: {
      smallBytesMax: 128_000,
      largeBodiesMax: 8,
      paths: ["/api/webhooks/", "/api/internal/", "/api/qstash/"],
    },
    connectionsMax: filesMax === undefined ? undefined : Math.ceil(filesMax * connectionsShare),
    clock: systemClock,
  };
  const tended = new WeakSet<Server>();
  subscribe("net.server.socket", (message) => {
    const { server } = (message as { socket: { server?: unknown } }).socket;
    if (!(server instanceof Server) || tended.has(server)) return;
    tended.add(server);
    tendServer(server, options);
  });
}

/** A malformed limit is the webhook's to report. */
function readWebhookBytesMax(env: EnvRecord): number {
  try {
    return readEnv(env, ["WEBHOOK_BODY_BYTES_MAX"]).WEBHOOK_BODY_BYTES_MAX;
  } catch {
    return readEnv({}, ["WEBHOOK_BODY_BYTES_MAX"]).WEBHOOK_BODY_BYTES_MAX;
  }
}
