import type { AnswerQueueCall } from "#queue/queue-call.ts";

import { ingestMessage, type IngestMessageOptions } from "./ingest-message.ts";

/**
 * The consumer: 200 says how many of the batch's events were new, and that all are committed. A message that is no batch is
 * kept and answered so that the queue gives it up; if it cannot be kept, 503.
 */
export function answerIngestion(
  request: Request,
  answerCall: AnswerQueueCall,
  options: IngestMessageOptions,
): Promise<Response> {
  return answerCall(request, "ingestion.refused", async (call, log) =>
    Response.json(await ingestMessage(call, log, options)),
  );
}
