/** Needs the build that `npm test` makes first. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { signBody } from "#instagram/signature.ts";
import { sendSignal } from "#local/processes.ts";

import { eventually } from "../support/eventually.ts";
import { createPlace, type Place, readJson, startProcess, untilNothingRuns } from "./start-process.ts";

const isServer = ({ command }: { command: string }) => command.includes("next");
const isPostmaster = ({ command }: { command: string }) => command.includes(" -D ");
const limitMs = 40_000;

function pidOf(place: Place, is: (one: { command: string }) => boolean): number {
  return place.processes().find(is)?.pid ?? 0;
}

/** Sends a message as Meta does: again until it is acknowledged. */
async function deliver(place: Place, mid: string): Promise<void> {
  const secrets = readJson(join(place.dataDir, "secrets.json")) as Record<string, string>;
  const messaging = [{ sender: { id: "2" }, recipient: { id: "1" }, message: { mid, text: "hello" } }];
  const body = new TextEncoder().encode(
    JSON.stringify({ object: "instagram", entry: [{ id: "1", time: Date.now(), messaging }] }),
  );
  const headers = { "x-hub-signature-256": await signBody(secrets["INSTAGRAM_APP_SECRET"] ?? "", body) };
  const send = () =>
    fetch(`${place.baseUrl}/api/webhooks/instagram`, { method: "POST", body, headers }).then(
      ({ status }) => status === 200,
      () => false,
    );
  await eventually(`${mid} is acknowledged`, send, limitMs);
}

/** Events that are stored, and how many of them are not handled; undefined while Postgres does not answer. */
async function stored(place: Place): Promise<{ events: number; open: number } | undefined> {
  const { databaseUrl } = readJson(join(place.dataDir, "running.json")) as { databaseUrl: string };
  const client = new Client({ connectionString: databaseUrl });
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ events: number; open: number }>(
      "select (select count(*)::int from relay.events) as events, (select count(*)::int from relay.event_work) as open",
    );
    return rows[0];
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => {});
  }
}

// The processes are listed from /proc.
// It takes half a minute, so `.ci/run` alone asks for it.
test.runIf(process.platform === "linux" && process.env["TEST_CHAOS"] === "more")(
  "npm start starts a killed server and a killed Postgres again, says how they ended, and loses nothing",
  { timeout: 180_000 },
  async () => {
    const place = await createPlace();
    onTestFinished(() => {
      for (const { pid } of place.processes()) sendSignal(pid, "SIGKILL");
      place.remove();
    });
    // A kill takes along what is acknowledged at once: here an ack means that the delivery is kept.
    const start = startProcess(place, "node", { ACK_MODE: "durable" });
    await start.untilRunning();
    const server = pidOf(place, isServer);
    const postmaster = pidOf(place, isPostmaster);
    await deliver(place, "before");

    sendSignal(server, "SIGKILL");
    const during = [deliver(place, "server-1"), deliver(place, "server-2")];
    await eventually(
      "the server's end is shown",
      () => start.output().includes("The server was ended by SIGKILL"),
      limitMs,
    );
    await Promise.all(during);
    expect(start.output()).toMatch(
      /! The server was ended by SIGKILL\. It starts again in 0\.5 s\.\n[^!]*forward\.settled/,
    );
    expect(pidOf(place, isServer)).not.toBe(server);

    sendSignal(postmaster, "SIGKILL");
    await Promise.all([deliver(place, "postgres-1"), deliver(place, "postgres-2")]);
    await eventually("Postgres runs again", () => start.output().includes("Postgres runs again."), limitMs);
    expect(start.output()).toContain("Postgres was ended by SIGKILL. It starts again in 0.5 s.");
    await deliver(place, "after");

    await eventually(
      "every event is stored once and handled",
      async () => {
        const found = await stored(place);
        return found?.events === 6 && found.open === 0;
      },
      limitMs,
    );
    expect(readFileSync(join(place.dataDir, "server.log"), "utf8")).toContain('"event":"handlers.finished"');

    // A stop while something is being started again ends in order too.
    sendSignal(pidOf(place, isServer), "SIGKILL");
    await eventually("its end is shown", () => start.output().split("The server was ended by").length === 3, limitMs);
    start.signal("SIGTERM", "process");
    expect(await start.exited).toBe(0);
    expect(start.output()).toContain("Stopped.");
    await untilNothingRuns(place);
  },
);
