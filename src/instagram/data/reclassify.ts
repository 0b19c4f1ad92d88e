import { classifyChange, classifyItem } from "../classify.ts";
import { idAt } from "../event-key.ts";
import type { EventKind, Json } from "../events.ts";
import { isObject } from "../json.ts";
import { findEventDrift } from "./find-drift.ts";

export interface KnownNow {
  kind: EventKind;
  senderId: string | null;
  recipientId: string | null;
  standby: boolean;
  drifted: boolean;
  /** JSON text: the item as a delivery of today would bring it. */
  data: string;
}

/**
 * Classifies an event of kind `unknown` by the present parser's rules, from what was stored of it; undefined if it still has
 * no known kind. An unknown change was stored with its field's name, any other item as it came.
 */
export function reclassify(event: { data: string; accountId: string; standby: boolean }): KnownNow | undefined {
  const stored = JSON.parse(event.data) as Json;
  if (!isObject(stored)) return undefined;
  const { field, value } = stored;
  const isChange = typeof field === "string" && isObject(value);
  const item = isChange ? value : stored;
  const { kind } = isChange ? classifyChange(field, value) : classifyItem(stored);
  if (kind === "unknown") return undefined;
  const { drifted } = findEventDrift({
    key: "",
    kind,
    accountId: event.accountId,
    occurredAtMs: null,
    sentAtMs: null,
    standby: event.standby,
    test: false,
    data: item,
  });
  return {
    kind,
    senderId: idAt(item, "sender") ?? idAt(item, "from"),
    recipientId: idAt(item, "recipient"),
    standby: event.standby || field === "standby",
    drifted,
    data: JSON.stringify(item),
  };
}
