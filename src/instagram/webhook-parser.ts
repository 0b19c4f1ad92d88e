import { base64FromBytes } from "#platform/bytes.ts";

import { type Classified, classifyChange, classifyItem } from "./classify.ts";
import { eventKey, idAt } from "./event-key.ts";
import type { InstagramEvent, Json } from "./events.ts";
import { idText, isObject, type JsonObject, parseLosslessJson } from "./json.ts";
import { parseTime } from "./time.ts";

export interface ParseOptions {
  /** Becomes part of the key of a dashboard test. */
  deliveryId: string;
}

/** One item with what its entry says about it. */
interface Found {
  classified: Classified;
  /** The item as Meta sent it, without the container it came in. */
  item: Json;
  field: string | null;
  standby: boolean;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * All events of a verified body, in Meta's order: every container of every entry. What is not recognised becomes an
 * `unknown` event with its raw JSON, and a body that is not JSON one with its bytes in base64: once the signature is
 * valid nothing about a payload may lose it, and nothing makes this throw.
 */
export async function parseWebhook(body: Uint8Array, options: ParseOptions): Promise<InstagramEvent[]> {
  try {
    // A BOM is dropped by the decoder; invalid UTF-8 is not JSON and throws.
    const json = parseLosslessJson(decoder.decode(body));
    // Meta's examples page wraps some samples in an array.
    const envelopes: readonly Json[] = Array.isArray(json) ? (json as readonly Json[]) : [json];
    return await Promise.all(envelopes.flatMap((envelope) => parseEnvelope(envelope, options)));
  } catch {
    return [await unreadable(body, options)];
  }
}

function parseEnvelope(envelope: Json, options: ParseOptions): Promise<InstagramEvent>[] {
  const entries = isObject(envelope) ? envelope["entry"] : undefined;
  if (!isObject(envelope) || !Array.isArray(entries)) return [toEvent(unknown(envelope), {}, options)];
  if (envelope["object"] !== undefined && envelope["object"] !== "instagram") {
    // Another product's webhook pointed at this address: its items only look like Instagram's.
    return (entries as readonly Json[]).map((entry) => {
      const rest = isObject(entry) ? entry : {};
      return toEvent(unknown({ ...envelope, entry: [entry] }, idText(envelope["object"]) ?? null), rest, options);
    });
  }
  return (entries as readonly Json[]).flatMap((entry) => {
    if (!isObject(entry)) return [toEvent(unknown(entry), {}, options)];
    return findItems(entry).map((found) => toEvent(found, entry, options));
  });
}

/** Every item of an entry. Containers do not exclude one another; one that we do not know counts as messaging. */
function findItems(entry: JsonObject): Found[] {
  const found: Found[] = [];
  for (const [name, container] of Object.entries(entry)) {
    if (name === "id" || name === "time" || name === "value") continue;
    if (name === "field") {
      // A change laid flat on the entry, as the Instagram Login pages draw it.
      const { field, value } = entry;
      found.push(fromChange(value === undefined ? { field: field ?? null } : { field: field ?? null, value }));
    } else if (name === "changes") {
      found.push(...toArray(container).map(fromChange));
    } else if (name === "changed_fields") {
      // "Include Values" is off: only the names of the fields come.
      found.push(...toArray(container).map((field) => unknown({ changed_field: field }, idText(field) ?? null)));
    } else if (name === "messaging" || name === "standby" || typeof container === "object") {
      found.push(...toArray(container).map((item) => fromItem(item, name === "standby")));
    }
  }
  if (!("field" in entry) && entry["value"] !== undefined) found.push(unknown({ value: entry["value"] }));
  return found;
}

function fromItem(item: Json, standby: boolean): Found {
  if (!isObject(item)) return unknown(item);
  return { classified: classifyItem(item), item, field: null, standby };
}

function fromChange(change: Json): Found {
  if (!isObject(change)) return unknown(change);
  const { field, value } = change;
  if (typeof field !== "string" || !isObject(value)) return unknown(change, typeof field === "string" ? field : null);
  const classified = classifyChange(field, value);
  // Of a field we do not know the name is part of the truth.
  if (classified.kind === "unknown") return unknown(change, field);
  return { classified, item: value, field, standby: field === "standby" };
}

function unknown(item: Json, field: string | null = null): Found {
  return { classified: { kind: "unknown", particulars: {} }, item, field, standby: false };
}

async function toEvent(found: Found, entry: JsonObject, options: ParseOptions): Promise<InstagramEvent> {
  const { classified, item, field, standby } = found;
  const entryId = idText(entry["id"]);
  const test = entryId === "0";
  const sentAtMs = parseTime(entry["time"]);
  const timestampMs = isObject(item) ? parseTime(item["timestamp"]) : null;
  const senderId = idAt(item, "sender") ?? idAt(item, "from");
  const recipientId = idAt(item, "recipient");
  const accountId = entryId ?? (classified.kind === "message.echo" ? senderId : recipientId) ?? "";
  const key = await eventKey(classified, item, {
    accountId,
    field,
    sentAtMs,
    timestampMs,
    testDeliveryId: test ? options.deliveryId : null,
  });
  return {
    key,
    kind: classified.kind,
    accountId,
    ...(senderId === null ? {} : { senderId }),
    ...(recipientId === null ? {} : { recipientId }),
    occurredAtMs: timestampMs ?? sentAtMs,
    sentAtMs,
    standby,
    test,
    data: item,
  };
}

function unreadable(body: Uint8Array, options: ParseOptions): Promise<InstagramEvent> {
  return toEvent(unknown({ bodyBase64: base64FromBytes(body) }), {}, options);
}

function toArray(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? (value as readonly Json[]) : [value];
}
