import * as v from "valibot";

import { readStalledReplays, type Replay } from "#store/replays/replays.ts";

import { type Operations, publishTimeoutMs } from "./operations.ts";

/** The body of the message that advances a replay. It names the heartbeat, so that of two equal messages one does. */
export const stepMessage = v.object({
  version: v.literal(1),
  replay: v.pipe(v.string(), v.regex(/^[\w-]{1,100}$/)),
  heartbeat: v.pipe(v.number(), v.safeInteger()),
});
export type StepMessage = v.InferOutput<typeof stepMessage>;

/**
 * Publishes the message that leads to a replay's next step, with a second attempt: without it the replay stands still until
 * maintenance resumes it. Rejects if the queue does not take it.
 */
export async function publishStep(replay: Replay, delayMs: number, { publisher, newId }: Operations): Promise<void> {
  const step: StepMessage = { version: 1, replay: replay.id, heartbeat: replay.heartbeatAtMs ?? 0 };
  const to = "maintenance" as const;
  const message = { to, body: JSON.stringify(step), delayMs, deduplicationId: newId(), label: "replay", retries: 3 };
  try {
    await publisher.publish(message, publishTimeoutMs);
  } catch {
    await publisher.publish(message, publishTimeoutMs);
  }
}

/** Has the queue call again for the replays that nothing advances any more. Throws `STORE_UNAVAILABLE`. */
export async function resumeReplays(operations: Operations): Promise<{ resumed: number }> {
  const stalled = await readStalledReplays(operations.db);
  for (const replay of stalled) {
    operations.log.warn("replay.stalled", { replayId: replay.id });
    await publishStep(replay, 0, operations);
  }
  return { resumed: stalled.length };
}
