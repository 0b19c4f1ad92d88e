import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { atExit } from "../../support/at-exit.ts";
import { eventually } from "../../support/eventually.ts";
import { findTestPort } from "../../support/test-port.ts";
import { connectToRedis } from "./connect-to-redis.ts";

const executable = process.env["REDIS_SERVER_PATH"] ?? "/usr/bin/redis-server";

export const hasRedisServer = existsSync(executable);

export interface RedisServer {
  port: number;
  close: () => Promise<void>;
}

/** Debian's redis-server on a free port, in memory alone. */
export async function startRedisServer(): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  const port = await findTestPort();
  const settings = {
    port,
    bind: "127.0.0.1",
    dir: folder,
    save: "",
    appendonly: "no",
    "maxmemory-policy": "noeviction",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(executable, args, { stdio: "ignore" });
  const exited = once(child, "exit");
  const abandon = () => child.kill("SIGKILL");
  const cancel = atExit(() => {
    abandon();
    rmSync(folder, { recursive: true, force: true });
  });
  await eventually("Redis accepts connections", async () => {
    const connection = await connectToRedis(port).catch(() => null);
    connection?.close();
    return connection !== null;
  });
  return {
    port,
    async close() {
      abandon();
      await exited;
      cancel();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
