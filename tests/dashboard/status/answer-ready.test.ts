import { expect, test } from "vitest";

import { answerReady } from "#dashboard/status/answer-ready.ts";

import { createRecordingLog } from "../../support/recording-log.ts";

const whole = {
  INSTAGRAM_APP_SECRET: "s",
  INSTAGRAM_VERIFY_TOKEN: "t",
  QSTASH_TOKEN: "t",
  QSTASH_CURRENT_SIGNING_KEY: "k",
  QSTASH_NEXT_SIGNING_KEY: "k",
  RELAY_SECRET: "relay-secret-of-thirty-two-characters",
  RELAY_URL: "https://relay.example",
  // Nothing listens there: readiness does not ask.
  DATABASE_URL: "postgresql://127.0.0.1:1/none",
};

test("a process is ready without Postgres, and not without a variable that the webhook needs, which is named", async () => {
  const recording = createRecordingLog();
  const answer = (env: Record<string, string>) =>
    answerReady({ env, queue: "qstash", deployment: "build-1", version: "1.2.3", log: recording.log });
  const ready = answer(whole);
  expect([ready.status, await ready.json()]).toEqual([
    200,
    { status: "ready", version: "1.2.3", deployment: "build-1" },
  ]);
  expect(answer({ ...whole, RELAY_SECRET: "short" }).status).toBe(503);
  const reason = expect.stringContaining("RELAY_SECRET is shorter than 32 characters") as string;
  expect(recording.of("health.failed")).toMatchObject([{ level: "error", code: "ENV_INVALID", reason }]);
});
