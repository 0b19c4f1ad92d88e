import { decodeBatch } from "#queue/decode-batch.ts";

import { answerQstash, type AnswerQstashOptions } from "#queue/answer-qstash.ts";
import { ingest, type IngestOptions } from "./ingest.ts";

export interface AnswerIngestionOptions extends AnswerQstashOptions {
  /** Throws `ENV_INVALID` if a variable is missing. */
  openIngest: () => Omit<IngestOptions, "clock" | "log">;
}

/** The consumer: verifies, decodes and ingests a batch from QStash. 200 says how many of its events were new. */
export function answerIngestion(request: Request, options: AnswerIngestionOptions): Promise<Response> {
  return answerQstash(request, "ingestion.refused", options, async (body, log) => {
    const batch = decodeBatch(body);
    const deliveryLog = log.with({ deliveryId: batch.delivery.id });
    deliveryLog.info("ingestion.received", { batch: batch.delivery.batch.join("/"), events: batch.events.length });
    const { inserted, duplicates } = await ingest(batch, {
      ...options.openIngest(),
      clock: options.clock,
      log: deliveryLog,
    });
    return Response.json({ inserted, duplicates });
  });
}
