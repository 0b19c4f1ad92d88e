/** Needs the build that `npm test` makes first. */
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";

import { describe, expect, test as base } from "vitest";

import { isAlive, sendSignal } from "#local/processes.ts";

import { eventually } from "../support/eventually.ts";
import { createTestDatabase } from "../support/postgres.ts";
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
describe.skipIf(process.platform !== "linux").concurrent("npm start", { timeout: 200_000 }, () => {
  test("starts every process, keeps its secrets private, and stops in order on Ctrl-C, or when only npm receives a signal", async ({
    place,
  }) => {
    const start = startProcess(place);
    await start.untilRunning();
    expect((await fetch(`${place.baseUrl}/api/health`)).status).toBe(200);
    const secrets = readJson(join(place.dataDir, "secrets.json")) as Record<string, string>;
    expect(statSync(join(place.dataDir, "secrets.json")).mode & 0o777).toBe(0o600);
    expect(statSync(place.dataDir).mode & 0o066).toBe(0);
    for (const secret of Object.values(secrets)) expect(start.output()).not.toContain(secret);
    const running = readJson(join(place.dataDir, "running.json")) as Record<string, string>;
    expect(running).toMatchObject({ baseUrl: place.baseUrl });
    expect(new URL(running["databaseUrl"] ?? "").username).toBe("relay");
    // Into a pipe no link is written.
    expect(start.output()).toMatch(/Dashboard +http:\S+\/dashboard, .*npm run relay -- sign-in/);
    expect(start.output()).not.toContain("ticket=");

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

    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const again = startProcess(place);
      await again.untilRunning();
      expect(readJson(join(place.dataDir, "secrets.json"))).toEqual(secrets);
      again.signal(signal, "process");
      await untilNothingRuns(place);
      await again.exited;
      expect(again.output()).toContain("Stopped.");
    }
  });

  test("after a kill -9 the server ends by itself, and the next start stops the Postgres that was left running; exits with 0 on SIGHUP", async ({
    place,
  }) => {
    const first = startProcess(place, "node");
    await first.untilRunning();
    const isServer = ({ command }: { command: string }) => command.includes("next");
    const postgres = place.processes().find(({ command }) => command.includes(" -D "));
    expect(place.processes().some(isServer)).toBe(true);
    first.signal("SIGKILL", "process");
    await eventually("the server has ended", () => !place.processes().some(isServer), 20_000);
    expect(isAlive(postgres?.pid ?? 0)).toBe(true);

    const second = startProcess(place, "node");
    await second.untilRunning();
    expect(isAlive(postgres?.pid ?? 0)).toBe(false);
    second.signal("SIGHUP", "process");
    expect(await second.exited).toBe(0);
    await untilNothingRuns(place);
  });

  test("names all unusable variables at once, and starts nothing", async ({ place }) => {
    const bad = {
      ACK_MODE: "sometimes",
      PUBLISH_RETRIES: "three",
      OPS_TOKEN: "ab",
      RELAY_SECRET: "short",
      DATABASE_URL: "mysql://u:p@h/x",
    };
    const start = startProcess(place, "node", { ...bad, QSTASH_URL: "https://qstash.upstash.io" });
    expect(await start.exited).toBe(1);
    const unset = ["QSTASH_TOKEN", "QSTASH_CURRENT_SIGNING_KEY", "QSTASH_NEXT_SIGNING_KEY"];
    const named = [...start.output().matchAll(/^ {2}([A-Z_]+): /gm)].map(([, name]) => name);
    expect(new Set(named)).toEqual(new Set([...Object.keys(bad), ...unset]));
    expect(start.output()).not.toMatch(/^\s+at /m);
    expect(place.processes()).toEqual([]);
  });

  test("says so before it builds for it", async ({ place }) => {
    // The build in this checkout is for another queue.
    const start = startProcess(place, "node", { QUEUE: "postgres", ACK_MODE: "sometimes" });
    expect(await start.exited).toBe(1);
    expect(start.output()).toMatch(/^ {2}ACK_MODE: /m);
    expect(start.output()).not.toContain("Building");
  });

  test("refuses more retries than the embedded QStash allows, and starts nothing", async ({ place }) => {
    const start = startProcess(place, "node", { QSTASH_RETRIES: "9" });
    expect(await start.exited).toBe(1);
    expect(start.output()).toMatch(/^✖ QSTASH_RETRIES is 9, and QStash on this machine allows 5 /m);
    expect(place.processes()).toEqual([]);
  });

  test("reports a damaged secrets file in one sentence, and starts without a data folder; HOST applies only to the server, the output says which Postgres is used for what, and SIGTERM ends it with 0", async ({
    place,
  }) => {
    mkdirSync(place.dataDir, { recursive: true });
    writeFileSync(join(place.dataDir, "secrets.json"), "{");
    const damaged = startProcess(place, "node");
    expect(await damaged.exited).toBe(1);
    expect(damaged.output()).toMatch(/^✖ .*secrets\.json is damaged/m);
    expect(place.processes()).toEqual([]);
    rmSync(place.dataDir, { recursive: true });

    const database = await createTestDatabase();
    const start = startProcess(place, "node", { HOST: "0.0.0.0", DATABASE_URL: database.url });
    await start.untilRunning();
    expect(listeningAddresses(Number(place.env["PORT"]))).toEqual(["0.0.0.0"]);
    expect(listeningAddresses(Number(place.env["QSTASH_PORT"]))).toEqual(["127.0.0.1"]);
    const { host, pathname, password } = new URL(database.url);
    expect(start.output()).toContain(`DATABASE_URL, ${host}${pathname}; `);
    expect(start.output()).toMatch(/Postgres .*postgres only for QStash on this machine$/m);
    expect(start.output()).not.toContain(password);
    start.signal("SIGTERM", "process");
    expect(await start.exited).toBe(0);
    await untilNothingRuns(place);
    await database.drop();
  });

  test.for(["PORT", "QSTASH_PORT"])(
    "reports a busy %s in one sentence and leaves no process running",
    async (name, { place }) => {
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
    },
  );

  test("reports a data folder in use, and stops at a second Ctrl-C without waiting for requests under way", async ({
    place,
  }) => {
    const start = startProcess(place, "node");
    await start.untilRunning();
    const other = await createPlace();
    // The build in this checkout is for another queue than the last one's: the folder is looked at before a build, too.
    for (const queue of ["qstash", "postgres"]) {
      const second = startProcess(other, "node", { DATA_DIR: place.dataDir, QUEUE: queue });
      expect(await second.exited).toBe(1);
      expect(second.output()).toContain(`in use by another start (process ${start.child.pid})`);
      expect(second.output()).not.toContain("Building");
    }
    // Ports and folder are its own, and only the build is not: it is not replaced under the one that runs.
    const third = startProcess(other, "node", { QUEUE: "postgres" });
    expect(await third.exited).toBe(1);
    expect(third.output()).toMatch(
      /^✖ The sources or QUEUE have changed since the build, which another npm start \(process \d+\) runs/m,
    );
    expect(third.output()).not.toContain("Building");
    const fourth = startProcess(other, "node");
    await fourth.untilRunning();
    fourth.signal("SIGTERM", "process");
    expect(await fourth.exited).toBe(0);
    expect((await fetch(`${place.baseUrl}/api/health`)).status).toBe(200);
    other.remove();

    // A request whose body never ends keeps the server from draining; "continue" says that it has arrived.
    const request = connect(Number(place.env["PORT"]), "127.0.0.1");
    request.on("error", () => {});
    // Without a signature it would be refused at once.
    const headers = `Host: here\r\nX-Hub-Signature-256: sha256=${"0".repeat(64)}\r\nContent-Length: 10\r\nExpect: 100-continue`;
    request.write(`POST /api/webhooks/instagram/node HTTP/1.1\r\n${headers}\r\n\r\n{`);
    await once(request, "data");
    start.signal("SIGINT", "process");
    await eventually("the server is being stopped", () => start.output().includes("Stopping: server …"), 20_000);
    // The same Ctrl-C may arrive twice, through npm: only a later one counts, so it is pressed until one does.
    const pressing = setInterval(() => start.signal("SIGINT", "process"), 100);
    expect(await start.exited).toBe(130);
    clearInterval(pressing);
    request.destroy();
    await untilNothingRuns(place);
  });
});

/** Where something listens on that port, by IPv4. https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.rst */
function listeningAddresses(port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = "", , state]) => state === "0A" && local.endsWith(`:${wanted}`))
    .map(([, local = ""]) =>
      [...(local.slice(0, 8).match(/../g) ?? [])].toReversed().map((byte) => Number.parseInt(byte, 16)),
    )
    .map((bytes) => bytes.join("."));
}
