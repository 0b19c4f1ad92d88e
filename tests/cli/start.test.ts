/** Needs the build that `npm test` makes first. */
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";

import { describe, expect, test as base } from "vitest";

import { isAlive, sendSignal } from "#cli/processes.ts";
import { until } from "#cli/until.ts";
import { systemClock } from "#platform/clock.ts";

import { createPlace, type Place, readJson, startProcess, untilNothingRuns } from "./start-process.ts";

const test = base.extend<{ place: Place }>({
  // vitest reads what a fixture needs from the pattern: nothing.
  place: async ({}, use) => {
    const place = await createPlace();
    await use(place);
    for (const { pid } of place.processes()) sendSignal(pid, "SIGKILL");
    place.remove();
  },
});

// The processes are listed from /proc. Most of a start is waiting, so the tests do it at the same time.
describe.skipIf(process.platform !== "linux").concurrent("npm start", { timeout: 100_000 }, () => {
  test("brings everything up, keeps its secrets private, and drains in order on Ctrl-C", async ({ place }) => {
    const start = startProcess(place);
    await start.untilRunning();
    expect((await fetch(`${place.baseUrl}/api/health`)).status).toBe(200);
    const secrets = readJson(join(place.dataDir, "secrets.json")) as Record<string, string>;
    expect(statSync(join(place.dataDir, "secrets.json")).mode & 0o777).toBe(0o600);
    expect(statSync(place.dataDir).mode & 0o066).toBe(0);
    for (const secret of Object.values(secrets)) expect(start.output()).not.toContain(secret);
    expect(readJson(join(place.dataDir, "running.json"))).toMatchObject({ baseUrl: place.baseUrl });

    start.signal("SIGINT", "group");
    await start.exited;
    await untilNothingRuns(place);
    const stopped = [...start.output().matchAll(/^Stopping: (.*) …$/gm)].map((match) => match[1]);
    expect(stopped.filter((name) => !/log|notes/.test(name ?? ""))).toEqual([
      "dispatching",
      "server",
      "QStash on this machine",
      "Postgres",
      "data folder",
    ]);
    expect(start.output()).toContain("Stopped.");
  });

  test("exits with 0 on SIGTERM and starts again with the same secrets", async ({ place }) => {
    const first = startProcess(place, "node");
    await first.untilRunning();
    const secrets = readFileSync(join(place.dataDir, "secrets.json"), "utf8");
    first.signal("SIGTERM", "process");
    expect(await first.exited).toBe(0);
    await untilNothingRuns(place);

    const second = startProcess(place, "node");
    await second.untilRunning();
    expect(readFileSync(join(place.dataDir, "secrets.json"), "utf8")).toBe(secrets);
    second.signal("SIGHUP", "process");
    expect(await second.exited).toBe(0);
    await untilNothingRuns(place);
  });

  test.for(["SIGTERM", "SIGKILL"] as const)("stops when npm alone gets %s", async (signal, { place }) => {
    const start = startProcess(place);
    await start.untilRunning();
    start.signal(signal, "process");
    await untilNothingRuns(place);
    await start.exited;
    expect(start.output()).toContain("Stopped.");
  });

  test("after a kill -9 the server ends by itself, and the next start takes over the Postgres left behind", async ({
    place,
  }) => {
    const start = startProcess(place, "node");
    await start.untilRunning();
    const isServer = ({ command }: { command: string }) => command.includes("next");
    const postgres = place.processes().find(({ command }) => command.includes(" -D "));
    expect(place.processes().some(isServer)).toBe(true);
    start.signal("SIGKILL", "process");
    expect(await until(systemClock, 20_000, () => !place.processes().some(isServer))).toBe(true);
    expect(isAlive(postgres?.pid ?? 0)).toBe(true);

    const next = startProcess(place, "node");
    await next.untilRunning();
    expect(isAlive(postgres?.pid ?? 0)).toBe(false);
    next.signal("SIGTERM", "group");
    expect(await next.exited).toBe(0);
    await untilNothingRuns(place);
  });

  test.for(["PORT", "QSTASH_PORT"])("a busy %s is one sentence and leaves nothing running", async (name, { place }) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(Number(place.env[name]), "127.0.0.1", resolve));
    const start = startProcess(place, "node");
    expect(await start.exited).toBe(1);
    expect(start.output()).toMatch(
      new RegExp(`^✖ Port ${place.env[name]} is in use on 127\\.0\\.0\\.1: .*${name}`, "m"),
    );
    expect(start.output()).not.toMatch(/^\s+at /m);
    expect(place.processes()).toEqual([]);
    server.close();
  });

  test("a second Ctrl-C does not wait for what is under way", async ({ place }) => {
    const start = startProcess(place, "node");
    await start.untilRunning();
    // A request whose body never ends keeps the server from draining; "continue" says that it has arrived.
    const request = connect(Number(place.env["PORT"]), "127.0.0.1");
    request.on("error", () => {});
    // Without a signature it would be refused at once.
    const headers = `Host: here\r\nX-Hub-Signature-256: sha256=${"0".repeat(64)}\r\nContent-Length: 10\r\nExpect: 100-continue`;
    request.write(`POST /api/webhooks/instagram/node HTTP/1.1\r\n${headers}\r\n\r\n{`);
    await once(request, "data");
    start.signal("SIGINT", "process");
    await until(systemClock, 20_000, () => start.output().includes("Stopping: server …"));
    // The same Ctrl-C may arrive twice, through npm: only a later one counts, so it is pressed until one does.
    const pressing = setInterval(() => start.signal("SIGINT", "process"), 100);
    expect(await start.exited).toBe(130);
    clearInterval(pressing);
    request.destroy();
    await untilNothingRuns(place);
  });

  test("a data folder in use, and a server that dies: each is said, and nothing stays", async ({ place }) => {
    const start = startProcess(place, "node");
    await start.untilRunning();
    const other = await createPlace();
    const second = startProcess(other, "node", { DATA_DIR: place.dataDir });
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain(`in use by another start (process ${start.child.pid})`);
    other.remove();

    const server = place.processes().find(({ command }) => command.includes("next"));
    sendSignal(server?.pid ?? 0, "SIGKILL");
    expect(await start.exited).toBe(1);
    expect(start.output()).toContain("The server ended by itself");
    await untilNothingRuns(place);
  });

  test("a damaged secrets file is one sentence, and a deleted data folder starts afresh", async ({ place }) => {
    mkdirSync(place.dataDir, { recursive: true });
    writeFileSync(join(place.dataDir, "secrets.json"), "{");
    const damaged = startProcess(place, "node");
    expect(await damaged.exited).toBe(1);
    expect(damaged.output()).toMatch(/^✖ .*secrets\.json is damaged/m);
    expect(place.processes()).toEqual([]);

    rmSync(place.dataDir, { recursive: true });
    const afresh = startProcess(place, "node");
    await afresh.untilRunning();
    afresh.signal("SIGTERM", "process");
    expect(await afresh.exited).toBe(0);
    await untilNothingRuns(place);
  });
});
