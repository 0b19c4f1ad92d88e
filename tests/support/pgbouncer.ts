/** PgBouncer in transaction mode before a Postgres, as many providers have one; Debian has it as a package. */
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { findPostgresUser, giveTo } from "#local/postgres-user.ts";

import { atExit } from "./at-exit.ts";
import { findWithin } from "./eventually.ts";
import { findTestPort } from "./test-port.ts";

const executable = process.env["PGBOUNCER_PATH"] ?? "/usr/sbin/pgbouncer";

export const hasPgBouncer = existsSync(executable);

export interface PgBouncer {
  /** The given address with the pooler's host and port in the place of its own. */
  through(url: string): string;
  stop(): Promise<void>;
}

export interface PgBouncerOptions {
  /** A superuser's address of the server. */
  serverUrl: string;
  /** Connections to the server for each database. */
  poolSize: number;
}

/** Starts it on a free port; each database of the server can be reached through it. */
export async function startPgBouncer({ serverUrl, poolSize }: PgBouncerOptions): Promise<PgBouncer> {
  const server = new URL(serverUrl);
  const port = await findTestPort();
  const user = findPostgresUser();
  const folder = mkdtempSync(join(tmpdir(), "relay-pgbouncer-"));
  chmodSync(folder, 0o711);
  const file = join(folder, "pgbouncer.ini");
  const login = `user=${decodeURIComponent(server.username)} password=${decodeURIComponent(server.password)}`;
  const ini = `[databases]
* = host=${server.hostname} port=${server.port || 5432} ${login}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${poolSize}
server_reset_query_always = 0
max_client_conn = 1000
`;
  writeFileSync(file, ini, { mode: 0o600 });
  giveTo(user, file);
  // It refuses to run as root, as Postgres does.
  const child = spawn(executable, ["-q", file], { ...user, cwd: "/", stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => (said += bytes.toString()));
  const exited = new Promise<void>((done) => {
    child.once("exit", () => done());
    child.once("error", () => done());
  });
  const abandon = () => child.kill("SIGKILL");
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const cancel = atExit(() => {
    abandon();
    remove();
  });
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
    cancel();
    remove();
  };
  if ((await findWithin(10_000, () => isListening(port))) === undefined) {
    await stop();
    throw new Error(`PgBouncer did not start: ${said}`);
  }
  return {
    through(url) {
      const through = new URL(url);
      through.hostname = "127.0.0.1";
      through.port = String(port);
      return through.href;
    },
    stop,
  };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => done(false));
  });
}
