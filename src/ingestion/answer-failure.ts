import * as v from "valibot";

import { bytesFromBase64 } from "#platform/bytes.ts";
import { deliveryIdPattern } from "#platform/delivery.ts";
import { RelayError } from "#platform/errors.ts";
import type { DeadLetter } from "#store/save-dead-letter.ts";

import { answerQstash, type AnswerQstashOptions } from "#queue/answer-qstash.ts";

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
  sourceBody: v.fallback(v.string(), ""),
});

export interface AnswerFailureOptions extends AnswerQstashOptions {
  /** Resolves with whether the dead letter is new. */
  save: (letter: DeadLetter) => Promise<boolean>;
}

/**
 * Records a dead letter of QStash. A callback that comes again adds no second record. QStash may cut the callback's copy
 * of the message to the plan's size; therefore the record has QStash's id of the dead letter instead of the message.
 */
export function answerFailure(request: Request, options: AnswerFailureOptions): Promise<Response> {
  return answerQstash(request, "dead_letter.refused", options, async ({ body }, log) => {
    const callback = parseCallback(body);
    const deliveryId = findDeliveryId(callback.sourceBody);
    const recorded = await options.save({
      id: callback.dlqId,
      messageId: callback.sourceMessageId,
      deliveryId,
      url: callback.url,
      status: callback.status,
      retried: callback.retried,
      recordedAtMs: options.clock.nowMs(),
    });
    log.error("dead_letter.recorded", { deliveryId, deadLetterId: callback.dlqId, status: callback.status, recorded });
    return Response.json({ recorded });
  });
}

function parseCallback(body: string): v.InferOutput<typeof callbackSchema> {
  try {
    return v.parse(callbackSchema, JSON.parse(body));
  } catch (thrown) {
    throw new RelayError("BATCH_INVALID", "The body is not a failure callback", { cause: thrown });
  }
}

/** Our encoding, of any version, starts with the delivery's id, so a cut copy holds it too. */
function findDeliveryId(sourceBody: string): string | null {
  try {
    const start = new TextDecoder().decode(bytesFromBase64(sourceBody.slice(0, 400)));
    const id = /^\{"version":\d+,"delivery":\{"id":"([^"]+)"/.exec(start)?.[1];
    return id !== undefined && deliveryIdPattern.test(id) ? id : null;
  } catch {
    return null;
  }
}
