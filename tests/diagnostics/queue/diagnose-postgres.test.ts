import { expect, onTestFinished, test } from "vitest";

import { diagnoseQueue } from "#diagnostics/queue/diagnose-queue.ts";
import { answerDrain } from "#ingestion/answer-drain.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { enqueueMessage } from "#store/queue/queue-messages.ts";
import { changeQueuePause } from "#store/queue/queue-pause.ts";

import { startFetchServer } from "../../support/fetch-server.ts";
import { createRecordingLog } from "../../support/recording-log.ts";
import { openTestStore } from "../../support/store.ts";
import { find, troubles } from "../environment.ts";

const secret = "relay-secret-of-thirty-two-characters";

/** The relay's drain route over HTTP, and the environment that leads to it and to a migrated database. */
async function startRelay() {
  const store = await openTestStore();
  let wakes = 0;
  const drain = async () => void (wakes += 1);
  const { log } = createRecordingLog();
  const server = await startFetchServer((request) =>
    answerDrain(request, { readSecrets: () => [secret], drain, waitUntil: (work) => void work, clock, log }),
  );
  onTestFinished(server.close);
  const env = { QUEUE: "postgres", RELAY_URL: server.url, RELAY_SECRET: secret, DATABASE_URL: store.url };
  const diagnose = (given: Record<string, string> = {}) =>
    diagnoseQueue({ queue: "postgres", env: { ...env, ...given }, clock, fetch });
  return { ...store, diagnose, wakes: () => wakes };
}

test("the queue in Postgres says what waits and since when, and whether its drain can be wakened", async () => {
  const { db, pool, diagnose, wakes } = await startRelay();
  const well = await diagnose();
  expect(troubles(well)).toEqual([]);
  expect(well.checks.map(({ name, detail }) => `${name}: ${detail}`)).toEqual([
    "Settings: complete",
    "Waiting batches: 0",
    "Drain: wakes",
  ]);
  expect(wakes()).toBe(1);

  const batch = { body: new Uint8Array([123]), delayMs: 0, deduplicationId: null, label: "instagram" };
  await enqueueMessage(db, { ...batch, route: "instagram-ingestion" });
  await enqueueMessage(db, { ...batch, route: "handlers" });
  expect(find(await diagnose(), "Waiting batches")).toMatchObject({ status: "ok", detail: "1" });
  await pool.query("update relay.queue_messages set due_at = now() - interval '20 minutes'");
  expect(troubles(await diagnose())).toEqual(["Waiting batches: warning 1, the oldest for 20 min"]);
  await changeQueuePause(db, true);
  expect(find(await diagnose(), "Waiting batches")).toMatchObject({ status: "ok", detail: "1, ingestion is paused" });
});

test("what is missing or wrong is named", async () => {
  const { diagnose } = await startRelay();
  const incomplete = await diagnose({ DATABASE_URL: "" });
  expect(troubles(incomplete)).toEqual(["Settings: failed incomplete"]);
  expect(incomplete.checks[0]?.cause).toBe("Configuration is incomplete: DATABASE_URL is not set.");
  const wrong = await diagnose({ RELAY_SECRET: "another-secret-of-thirty-two-characters" });
  expect(troubles(wrong)).toEqual(["Drain: failed answered 401"]);
  expect(find(wrong, "Drain").remedy).toContain("Set RELAY_SECRET to that of the relay");
  const nowhere = await diagnose({ RELAY_URL: "http://127.0.0.1:9", DATABASE_URL: "postgres://127.0.0.1:9/none" });
  expect(troubles(nowhere)).toEqual(["Waiting batches: failed unknown", "Drain: failed not reached"]);
});
