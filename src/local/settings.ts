import { resolve } from "node:path";

import type { EnvRecord } from "#platform/env.ts";

import { CliFailure } from "#platform/failure.ts";

/** What can be set for a start: ports, address, data folder. */
export interface Settings {
  port: number;
  qstashPort: number;
  /** The address that the server listens on; the broker and Postgres listen on 127.0.0.1. */
  host: string;
  /** An absolute path. */
  dataDir: string;
}

/** Where the broker listens, whatever HOST says: a client with its token can make the relay ingest anything. */
export const brokerHost = "127.0.0.1";

/** Reads PORT, QSTASH_PORT, HOST and DATA_DIR; a relative folder starts at `root`. Throws a `CliFailure` for an invalid port. */
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

/** The value of a variable without white space around it; undefined if it is absent or blank, as for the server. */
export function valueOf(env: EnvRecord, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

/** The address at which this machine reaches what listens on `host`. */
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
