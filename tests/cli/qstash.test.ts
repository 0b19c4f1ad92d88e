import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Client, Receiver } from "@upstash/qstash";
import { expect, onTestFinished, test, vi } from "vitest";

import { eventually } from "../support/eventually.ts";
import { startSink } from "../support/http-sink.ts";
import { findTestPort } from "../support/test-port.ts";
import { root } from "./start-process.ts";

interface QStash {
  port: number;
  dataDir: string;
  child: ChildProcess;
  output: () => string;
  /** The exit status. */
  exited: Promise<number | null>;
}

/** `npm run qstash` without npm in between, on a free port and a temporary folder unless these are given. */
async function startQStash(args: string[], again?: QStash): Promise<QStash> {
  const port = again?.port ?? (await findTestPort());
  const dataDir = again?.dataDir ?? mkdtempSync(join(tmpdir(), "qstash-"));
  chmodSync(dataDir, 0o711);
  const options = ["--port", String(port), "--data", dataDir, ...args];
  const child = spawn(process.execPath, ["src/cli/bootstrap.mjs", "qstash", ...options], {
    cwd: root,
    env: { PATH: process.env["PATH"], NODE_ENV: "production", NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, "close").then(([status]: (number | null)[]) => status ?? null);
  const qstash = { port, dataDir, child, output: () => output, exited };
  if (!again) onTestFinished(() => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await exited;
  });
  return qstash;
}

/** Postgres is the only child that it has. */
function pidOf(victim: string, { child: { pid = 0 } }: QStash): number {
  return victim === "QStash" ? pid : Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
}

async function untilListening(qstash: QStash): Promise<void> {
  const isSettled = () => qstash.output().includes("listens on") || qstash.child.exitCode !== null;
  await eventually("QStash listens or has ended", isSettled, 40_000);
  expect(qstash.output()).toContain(`QStash listens on http://127.0.0.1:${qstash.port}`);
}

test("with --dev, an SDK with QSTASH_DEV=true publishes and verifies without a download", async () => {
  const qstash = await startQStash(["--dev"]);
  await untilListening(qstash);
  expect(qstash.output()).toContain(`QSTASH_DEV=true\nQSTASH_DEV_PORT=${qstash.port}`);
  const sink = await startSink();
  onTestFinished(() => sink.close());
  vi.stubEnv("QSTASH_DEV", "true");
  vi.stubEnv("QSTASH_DEV_PORT", String(qstash.port));
  onTestFinished(() => void vi.unstubAllEnvs());

  await new Client({ token: "" }).publishJSON({ url: sink.url, body: { hello: "world" } });
  const delivery = await sink.next();
  const signature = String(delivery.headers["upstash-signature"]);
  const verified = new Receiver().verify({ signature, body: delivery.body.toString(), url: sink.url });
  await expect(verified).resolves.toBe(true);

  const second = await startQStash(["--port", String(qstash.port)]);
  expect([await second.exited, second.output()]).toEqual([1, expect.stringContaining("is in use")]);
  qstash.child.kill("SIGTERM");
  const stopped = [0, expect.stringContaining("Stopping: data folder")];
  expect([await qstash.exited, qstash.output()]).toEqual(stopped);
}, 60_000);

test("with --dev, listens only on loopback", async () => {
  const qstash = await startQStash(["--dev", "--host", "0.0.0.0"]);
  expect([await qstash.exited, qstash.output()]).toEqual([1, expect.stringContaining("--dev uses public credentials")]);
});

test.each(["QStash", "Postgres"])(
  "loses no message over a kill -9 of %s in mid-stream",
  async (victim) => {
    const first = await startQStash([]);
    await untilListening(first);
    const secrets: Record<string, string> = JSON.parse(readFileSync(join(first.dataDir, "secrets.json"), "utf8"));
    const token = secrets["QSTASH_TOKEN"] ?? "";
    expect(token.length).toBeGreaterThan(30);
    expect(first.output()).not.toContain(token);

    const sink = await startSink();
    onTestFinished(() => sink.close());
    const client = new Client({ baseUrl: `http://127.0.0.1:${first.port}`, token, devMode: false, retry: false });
    await expect(client.publish({ url: sink.url, retries: 6 })).rejects.toMatchObject({ status: 412 });
    const accepted = new Set<string>();
    const isAgain = () => first.output().includes("Postgres runs again.");
    // On a busy machine a request may come late and meet no outage.
    const publishUntilDead = async () => {
      while (!isAgain()) {
        accepted.add((await client.publish({ url: sink.url })).messageId);
        if (accepted.size === 100) process.kill(pidOf(victim, first), "SIGKILL");
      }
    };
    await Promise.allSettled(Array.from({ length: 10 }, publishUntilDead));
    // QStash starts a killed Postgres again; nothing does that for QStash itself.
    if (victim === "QStash") {
      await first.exited;
      await untilListening(await startQStash([], first));
    } else {
      await eventually("Postgres runs again", isAgain, 40_000);
    }
    const missing = () => {
      const delivered = new Set(sink.requests.map(({ headers }) => String(headers["upstash-message-id"])));
      return [...accepted].filter((messageId) => !delivered.has(messageId));
    };
    await eventually("each accepted message is delivered", () => missing().length === 0, 20_000);
  },
  90_000,
);
