import type { IngestPayload } from "./backfilling.ts";
import type { WebhookEntry } from "./message-to-webhook.ts";

/** As many as one QStash message may have: a page of comments with their answers may be a thousand. */
const entriesMax = 200;

interface Ingested {
  events: { kind: string; occurredAtMs: number | null; isKnown: boolean }[];
  inserted: number;
}

/** Ingests what a page held, in payloads of a webhook's size. Throws `STORE_UNAVAILABLE`. */
export async function ingestEntries(
  entries: readonly WebhookEntry[],
  options: { kinds: readonly string[]; isDryRun: boolean },
  ingest: IngestPayload,
): Promise<Ingested> {
  const all: Ingested = { events: [], inserted: 0 };
  for (let at = 0; at < entries.length; at += entriesMax) {
    const { events, inserted } = await ingest(
      { object: "instagram", entry: entries.slice(at, at + entriesMax) },
      options,
    );
    all.events.push(...events);
    all.inserted += inserted;
  }
  return all;
}
