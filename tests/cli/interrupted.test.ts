/** Commands that start servers, ended by a signal to their own process alone. */
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { sendSignal } from "#local/processes.ts";

import { eventually } from "../support/eventually.ts";
import { listProcesses, root } from "./start-process.ts";

const endLimitMs = 10_000;

describe
  .skipIf(process.platform !== "linux")
  .concurrent("a signal ends all that was started, and leaves no folder", () => {
    test.for([
      ["bench", "SIGTERM", /bin\/initdb/, ["bench", "--only", "store", "--quick", "--rows", "1000"]],
      ["bench", "SIGINT", /bin\/postgres -D/, ["bench", "--only", "store", "--quick", "--rows", "50000"]],
      ["chaos", "SIGHUP", /bin\/postgres -D/, ["chaos", "--only", "nothing"]],
    ] as const)("%s by %s", async ([, signal, reached, args]) => {
      const folder = mkdtempSync(join(tmpdir(), "relay-interrupted-"));
      // As root, Postgres runs as another user, who has to pass through.
      chmodSync(folder, 0o711);
      // By this variable the processes are found: even Postgres is given it.
      const env = { ...process.env, TMPDIR: folder };
      const child = spawn(process.execPath, ["src/cli/bootstrap.mjs", ...args], { cwd: root, env, stdio: "ignore" });
      const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
      const running = () =>
        listProcesses().filter(({ command, environment }) => `${command} ${environment}`.includes(folder));
      try {
        await eventually(`${reached} runs`, () => running().some(({ command }) => reached.test(command)), 30_000);
        sendSignal(child.pid ?? 0, signal);
        expect(await ended).toBe(128 + constants.signals[signal]);
        await eventually(
          "nothing runs any more",
          () => running().every(({ command }) => command.startsWith("rm ")),
          endLimitMs,
        );
        await eventually("the folders are gone", () => ours(folder).length === 0, endLimitMs);
      } finally {
        for (const { pid } of running()) sendSignal(pid, "SIGKILL");
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      }
    });
  });

function ours(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith("relay-"));
}
