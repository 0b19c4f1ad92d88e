import * as v from "valibot";

import { bytesFromBase64 } from "#platform/bytes.ts";
import type { Clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import { qstashPath } from "#queue/qstash/qstash-path.ts";
import type { AnswerQueueCall } from "#queue/queue-call.ts";
import type { DeadBatch } from "#platform/dead-batch.ts";
import { describeDeadBatch } from "#queue/dead-batch.ts";
import { decodeHandlersMessage } from "#queue/handlers-message.ts";

/**
 * The part of QStash's failure callback that we read. Only the id is required: a dead letter is to be recorded even if
 * another field is missing or has changed. https://upstash.com/docs/qstash/features/callbacks
 */
const callbackSchema = v.object({
  dlqId: v.pipe(v.union([v.string(), v.number()]), v.transform(String)),
  sourceMessageId: v.fallback(v.string(), ""),
  url: v.fallback(v.string(), ""),
  status: v.fallback(v.number(), 0),
  retried: v.fallback(v.number(), 0),
  body: v.fallback(v.string(), ""),
  sourceBody: v.fallback(v.string(), ""),
});

export interface AnswerFailureOptions {
  clock: Clock;
  /** Resolves with whether the dead letter is new. */
  save: (letter: DeadBatch) => Promise<boolean>;
  /** Notes that no message is under way for these events, so that maintenance publishes one. */
  release: (eventIds: readonly number[]) => Promise<void>;
}

/**
 * Takes note of a message that QStash gave up. A batch becomes a dead letter, once, with as much of its bytes as QStash
 * repeats. A message to run handlers is none: its events are still open here, and maintenance publishes them again; neither
 * is one to maintenance itself.
 */
export function answerFailure(
  request: Request,
  answerCall: AnswerQueueCall,
  options: AnswerFailureOptions,
): Promise<Response> {
  return answerCall(request, "dead_letter.refused", async ({ body }, log) => {
    const { dlqId, sourceMessageId, url, status, retried, ...callback } = parseCallback(body);
    const source = bytesOf(callback.sourceBody);
    if (url.endsWith(qstashPath("handlers"))) return releaseEvents(source, options, log);
    if (url.endsWith(qstashPath("maintenance"))) return Response.json({ recorded: false });
    const answer = new TextDecoder().decode(bytesOf(callback.body));
    const given = { dlqId, messageId: sourceMessageId, url, status, retried, answer, body: source };
    const letter = describeDeadBatch({ ...given, isWhole: false, deployment: null }, options.clock.nowMs());
    const recorded = await options.save(letter);
    log.error("dead_letter.recorded", { deliveryId: letter.deliveryId, deadLetterId: dlqId, status, recorded });
    return Response.json({ recorded });
  });
}

async function releaseEvents(source: Uint8Array, { release }: AnswerFailureOptions, log: Log): Promise<Response> {
  const { eventIds } = decodeHandlersMessage(new TextDecoder().decode(source));
  await release(eventIds);
  log.warn("handlers.publish_failed", { events: eventIds.length });
  return Response.json({ recorded: false });
}

function parseCallback(body: string): v.InferOutput<typeof callbackSchema> {
  try {
    return v.parse(callbackSchema, JSON.parse(body));
  } catch (thrown) {
    throw new RelayError("BATCH_INVALID", "The body is not a failure callback", { cause: thrown });
  }
}

/** A copy may be cut within a group of four characters. */
function bytesOf(base64: string): Uint8Array {
  try {
    return bytesFromBase64(base64.slice(0, base64.length - (base64.length % 4)));
  } catch {
    return new Uint8Array(0);
  }
}
