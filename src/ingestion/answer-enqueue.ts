import type { Clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import { readInternal } from "#platform/read-internal.ts";
import { refuse } from "#platform/refuse.ts";
import { traceparentIn } from "#platform/traceparent.ts";
import { deduplicationHeader } from "#queue/postgres/postgres-publisher.ts";

import { type AfterAnswerOptions, goOnAfterAnswer } from "./after-answer.ts";

/** The publisher waits no longer: it is the most that `PUBLISH_TIMEOUT_MS` usefully allows. */
const bodyTimeoutMs = 5_000;

export interface EnqueuedBatch {
  body: Uint8Array;
  deduplicationId: string | null;
  traceparent: string | null;
}

export interface AnswerEnqueueOptions extends Pick<AfterAnswerOptions, "waitUntil"> {
  /** Throws `ENV_INVALID` if a variable is missing. */
  readSecrets: () => readonly string[];
  bytesMax: number;
  /** Commits the batch and resolves with its id. Rejects with `STORE_UNAVAILABLE`. */
  enqueue: (batch: EnqueuedBatch) => Promise<string>;
  /** Never rejects. */
  drain: () => Promise<unknown>;
  clock: Clock;
  log: Log;
}

/** As our publishers make it. */
const idPattern = /^[\w-]{1,200}$/;

/**
 * Takes a batch from our own webhook into the queue in Postgres: 200 with its id means that it is committed. The queue is
 * drained after the answer, so that the webhook needs no second request.
 */
export async function answerEnqueue(request: Request, options: AnswerEnqueueOptions): Promise<Response> {
  const { readSecrets, bytesMax, enqueue, drain, waitUntil, clock, log } = options;
  try {
    const body = await readInternal(request, { readSecrets, bytesMax, timeoutMs: bodyTimeoutMs, clock });
    const deduplicationId = request.headers.get(deduplicationHeader);
    if (deduplicationId !== null && !idPattern.test(deduplicationId)) {
      throw new RelayError("REQUEST_INVALID", `${deduplicationHeader} is malformed`);
    }
    const messageId = await enqueue({ body, deduplicationId, traceparent: traceparentIn(request) });
    await goOnAfterAnswer(drain(), { waitUntil, log });
    return Response.json({ messageId });
  } catch (thrown) {
    return refuse(log, "enqueue.refused", thrown);
  }
}
