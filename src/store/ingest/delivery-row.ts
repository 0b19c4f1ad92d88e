import type { DeliveryFacts } from "#platform/delivery.ts";

import { storableInstant, storableInteger, storableText } from "../connection/storable.ts";
import type { deliveries } from "../schema/delivery-schema.ts";
import { deliveryUuid } from "./delivery-uuid.ts";

/** A delivery's facts as the columns of its row. Which secret signed it is not stored. */
export function deliveryRow(facts: Omit<DeliveryFacts, "secretIndex">): typeof deliveries.$inferInsert {
  return {
    id: deliveryUuid(facts.id),
    runtime: facts.runtime,
    region: textOrNull(facts.region),
    deployment: textOrNull(facts.deployment),
    coldStart: facts.coldStart,
    probe: facts.probe,
    receivedAt: storableInstant(facts.receivedAtMs) ?? new Date(0),
    bodyBytes: storableInteger(facts.bodyBytes),
  };
}

function textOrNull(text: string | null): string | null {
  return text === null ? null : storableText(text);
}
