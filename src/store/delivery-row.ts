import type { DeliveryFacts } from "#platform/delivery.ts";

import type { deliveries } from "./schema.ts";
import { storableInstant, storableInteger, storableText } from "./storable.ts";

/** A delivery's facts as the columns of its row. Which secret signed it is not stored. */
export function deliveryRow(facts: Omit<DeliveryFacts, "secretIndex">): typeof deliveries.$inferInsert {
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
