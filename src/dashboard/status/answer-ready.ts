import { type EnvRecord, readPathEnv } from "#platform/env.ts";
import type { Log } from "#platform/log.ts";
import type { QueueName } from "#platform/queue-name.ts";
import { refuse } from "#platform/refuse.ts";

export interface AnswerReadyOptions {
  env: EnvRecord;
  /** The queue of the build. */
  queue: QueueName;
  /** The build that answers, see `readDeployment`. */
  deployment: string | null;
  version: string;
  log: Log;
}

/**
 * Whether a balancer may send requests to this process: 200, or 503 if a variable is missing without which it would refuse
 * them; the body and the log name it. Off Vercel the server itself answers 503 from the moment on that it is asked to stop.
 * It asks neither Postgres nor the queue: they are the same for all processes, so that all would be taken out at once, and
 * deliveries are acknowledged without Postgres.
 */
export function answerReady({ env, queue, deployment, version, log }: AnswerReadyOptions): Response {
  try {
    readPathEnv(env, queue);
    return Response.json({ status: "ready", version, deployment }, { headers: { "cache-control": "no-store" } });
  } catch (thrown) {
    return refuse(log, "health.failed", thrown);
  }
}
