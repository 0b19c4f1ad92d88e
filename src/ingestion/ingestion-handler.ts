import { decodeBatch } from "#queue/decode-batch.ts";

import { ingest, type IngestOptions } from "./ingest.ts";
import { answerQstash, type QstashRouteOptions } from "./qstash-route.ts";

/** The consumer: what QStash delivers is verified, decoded and ingested; 200 says how many events were new. */
export function handleIngestion(
  request: Request,
  options: QstashRouteOptions & { openIngest: () => Omit<IngestOptions, "clock" | "log"> },
): Promise<Response> {
  return answerQstash(request, options, async (body, log) => {
    const batch = decodeBatch(body);
    const deliveryLog = log.with({ deliveryId: batch.delivery.id });
    deliveryLog.info("ingestion.received", { batch: batch.delivery.batch.join("/"), events: batch.events.length });
    const result = await ingest(batch, { ...options.openIngest(), clock: options.clock, log: deliveryLog });
    return Response.json({ inserted: result.inserted, duplicates: result.duplicates });
  });
}
