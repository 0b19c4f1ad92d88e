/** What can be set about a start: ports, address, data folder. */
import { resolve } from "node:path";

import type { EnvRecord } from "#platform/env.ts";

import { CliFailure } from "#platform/failure.ts";

export interface Settings {
  port: number;
  qstashPort: number;
  /** The address that the server listens on; the broker and Postgres are for this machine alone. */
  host: string;
  /** An absolute path. */
  dataDir: string;
}

/** Where the broker listens, whatever HOST says: whoever reaches it and knows its token makes the relay believe anything. */
export const brokerHost = "127.0.0.1";

export function readSettings(env: EnvRecord, root: string): Settings {
  const port = readPort(env, "PORT", 3000);
  const qstashPort = readPort(env, "QSTASH_PORT", 8080);
  if (port === qstashPort)
    throw new CliFailure(`PORT and QSTASH_PORT are both ${port}: set one of them to another port.`);
  return {
    port,
    qstashPort,
    host: valueOf(env, "HOST") ?? "127.0.0.1",
    dataDir: resolve(root, valueOf(env, "DATA_DIR") ?? ".data"),
  };
}

/** A variable's value; blank counts as absent, as it does for the server. */
export function valueOf(env: EnvRecord, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

/** How a process on this machine reaches what listens on `host`. */
export function baseUrlOf(host: string, port: number): string {
  if (host === "0.0.0.0") return `http://127.0.0.1:${port}`;
  if (host === "::") return `http://[::1]:${port}`;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function readPort(env: EnvRecord, name: string, fallback: number): number {
  const text = valueOf(env, name);
  if (text === undefined) return fallback;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new CliFailure(`${name} must be a port from 1 to 65535, not "${text}".`);
  return port;
}
