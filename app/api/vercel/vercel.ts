// What the routes that Vercel Queues calls share.
import { createAnswerVercel } from "#queue/vercel/answer-vercel.ts";
import { readVercelQueue } from "#queue/vercel/read-vercel-queue.ts";
import { vercelPath } from "#queue/vercel/vercel-path.ts";
import type { AnswerQueueCall } from "#queue/queue-call.ts";
import type { QueueRoute } from "#queue/queue-route.ts";

import { clock, log } from "../../log.ts";
import { giveUpAt } from "../../queue/messages.ts";

/** For this route, which accepts only what was signed for its own topic. */
export function answerVercelAt(route: QueueRoute): AnswerQueueCall {
  const readQueue = () => readVercelQueue(process.env);
  return createAnswerVercel({ route, readQueue, giveUp: giveUpAt(vercelPath(route), route), clock, log });
}
