import { fetchWithin } from "#platform/bounded-fetch.ts";
import { readEnv } from "#platform/env.ts";
import { isSuccess } from "#platform/qstash-api.ts";
import { refusal } from "#queue/refusal.ts";
import { readOidcToken } from "#queue/vercel/oidc-token.ts";
import { vercelQueueUrl } from "#queue/vercel/vercel-queue-url.ts";

import { type QueueAdvice, runQueueCheck } from "./queue-advice.ts";
import type { CheckQueue } from "./queue-check.ts";

const timeoutMs = 4_000;
/** No route has it as its trigger. */
const topic = "relay-doctor";
/** The shortest that Vercel keeps a message. */
const retentionS = "60";
const needed = ["VERCEL_QUEUE_REGION", "VERCEL_QUEUE_URL", "VERCEL_OIDC_TOKEN"] as const;

/** Vercel Queues: whether there is a token, and whether the queue takes a message with it, which nothing reads. */
export const checkVercel: CheckQueue = async ({ env: record, clock, fetch }) => {
  const env = readEnv(record, needed);
  const url = vercelQueueUrl(env.VERCEL_QUEUE_REGION, env.VERCEL_QUEUE_URL);
  const send = await runQueueCheck(
    "Send a message",
    async () => {
      const headers = {
        authorization: `Bearer ${readOidcToken(env.VERCEL_OIDC_TOKEN)}`,
        "content-type": "application/octet-stream",
        "vqs-retention-seconds": retentionS,
      };
      const init = { method: "POST", body: "doctor", headers };
      const answer = await fetchWithin(timeoutMs, `${url}/api/v3/topic/${topic}`, init, { fetch, clock });
      if (!isSuccess(answer.status)) throw refusal("Vercel Queues", answer, undefined);
      return { status: "ok", detail: "accepted" };
    },
    { clock, advice },
  );
  return [send];
};

const advice: QueueAdvice = {
  variable: "VERCEL_QUEUE_URL",
  byCode: {
    PUBLISH_UNAUTHORIZED: {
      cause:
        "A deployment has a token if secure backend access with OIDC federation is on for the project. On another machine VERCEL_OIDC_TOKEN holds one, for twelve hours.",
      remedy:
        "On Vercel, turn OIDC federation on in the project's settings. On another machine run vercel env pull again. The doctor asks the deployment too, with --url.",
    },
    PUBLISH_RATE_LIMITED: { cause: "Too many messages were sent at once.", remedy: "Try again in a minute." },
    PUBLISH_UNAVAILABLE: {
      cause: "Vercel Queues has a problem, or it does not know this project's consumers.",
      remedy:
        "See https://www.vercel-status.com, and whether vercel.json of the deployment has the triggers. Meanwhile the relay's fallback keeps the events.",
    },
  },
  otherwise: {
    cause: "The server does not answer like Vercel Queues, or the region has none.",
    remedy: "Set VERCEL_QUEUE_REGION to a region of https://vercel.com/docs/regions, and remove VERCEL_QUEUE_URL.",
  },
};
