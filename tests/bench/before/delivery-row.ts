import type { DeliveryFacts } from "#platform/delivery.ts";

import type { deliveries } from "./schema.ts";
import { storableInstant, storableInteger, storableText } from "#store/connection/storable.ts";

/** What the table `deliveries` has of a delivery's facts. */
export type StoredFacts = Pick<
  DeliveryFacts,
  "id" | "runtime" | "region" | "coldStart" | "probe" | "receivedAtMs" | "bodyBytes"
>;

/** A delivery's facts as the columns of its row. Which secret signed it is not stored. */
export function deliveryRow(facts: StoredFacts): typeof deliveries.$inferInsert {
  return {
    id: facts.id,
    runtime: facts.runtime,
    region: facts.region === null ? null : storableText(facts.region),
    coldStart: facts.coldStart,
    probe: facts.probe,
    receivedAt: storableInstant(facts.receivedAtMs) ?? new Date(0),
    bodyBytes: storableInteger(facts.bodyBytes),
  };
}
