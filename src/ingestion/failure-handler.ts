import * as v from "valibot";

import { bytesFromBase64 } from "#platform/bytes.ts";
import { RelayError } from "#platform/errors.ts";
import type { DeadLetter } from "#store/save-dead-letter.ts";

import { answerQstash, type QstashRouteOptions } from "./qstash-route.ts";

/**
 * The part of QStash's failure callback that we read. Only its id must be there: a callback that is refused leaves a dead
 * letter of which no operator hears. https://upstash.com/docs/qstash/features/callbacks
 */
const callbackSchema = v.object({
  dlqId: v.pipe(v.union([v.string(), v.number()]), v.transform(String)),
  sourceMessageId: v.fallback(v.string(), ""),
  url: v.fallback(v.string(), ""),
  status: v.fallback(v.number(), 0),
  retried: v.fallback(v.number(), 0),
  sourceBody: v.fallback(v.string(), ""),
});

/**
 * Records what QStash gave up on, once however often the callback comes. The callback's copy of the message may be cut
 * to the plan's size: what we keep is a pointer to QStash's dead letter.
 */
export function handleFailure(
  request: Request,
  options: QstashRouteOptions & { save: (letter: DeadLetter) => Promise<boolean> },
): Promise<Response> {
  return answerQstash(request, options, async (body, log) => {
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

/** Our own encoding, of any version, puts the delivery first, so even a cut copy begins with its id. */
function findDeliveryId(sourceBody: string): string | null {
  try {
    const start = new TextDecoder().decode(bytesFromBase64(sourceBody.slice(0, 400)));
    return /^\{"version":\d+,"delivery":\{"id":"([A-Za-z0-9_-]{1,100})"/.exec(start)?.[1] ?? null;
  } catch {
    return null;
  }
}
