import { base64FromBytes } from "#platform/bytes.ts";
import { keys, toNumber } from "#platform/natives.ts";

import { type Classified, classifyChange, classifyItem } from "./classify.ts";
import { eventKey, idAt } from "./event-key.ts";
import type { InstagramEvent, Json } from "./events.ts";
import { idText, isList, isObject, isTooDeep, type JsonObject, readLosslessJson } from "./json.ts";
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

/** Meta sends at most 1,000 updates at once; what is far above that is not taken apart but kept as it is. */
const itemsMax = 5_000;

/**
 * All events of a verified body, in Meta's order: every container of every entry. What is not recognised becomes an
 * `unknown` event with its raw JSON, and a body that is not JSON, or of which something else would be lost, one with its
 * bytes in base64: once the signature is valid nothing about a payload may lose it, and nothing makes this throw.
 */
export async function parseWebhook(body: Uint8Array, options: ParseOptions): Promise<InstagramEvent[]> {
  try {
    // A BOM is dropped by the decoder; invalid UTF-8 is not JSON and throws.
    const { value, isTooDeep: isAnyTooDeep, isWhole } = readLosslessJson(decoder.decode(body));
    const reading: Reading = { options, isAnyTooDeep, parsed: [] };
    // Meta's examples page wraps some samples in an array.
    for (const envelope of isList(value) ? value : [value]) readEnvelope(envelope, reading);
    const events: InstagramEvent[] = [];
    // Few keys have to be hashed; to wait for all the others too would be half of what parsing costs.
    for (const event of reading.parsed) events.push("then" in event ? await event : event);
    if (isAnyTooDeep || !isWhole) events.push(await unreadable(body, options));
    return events;
  } catch {
    return [await unreadable(body, options)];
  }
}

/** An event, or one whose key is still being hashed. */
type Parsed = InstagramEvent | Promise<InstagramEvent>;

/** What has been read of a body so far. */
interface Reading {
  options: ParseOptions;
  isAnyTooDeep: boolean;
  parsed: Parsed[];
}

function add(found: Found, entry: JsonObject, reading: Reading): void {
  if (reading.parsed.length >= itemsMax) throw new RangeError("More items than anybody sends");
  // Then the body is kept as it came, beside the items that are not.
  if (reading.isAnyTooDeep && isTooDeep(found.item)) return;
  reading.parsed.push(toEvent(found, entry, reading.options));
}

function readEnvelope(envelope: Json, reading: Reading): void {
  const { object, entry: entries } = isObject(envelope) ? envelope : {};
  // Another product's webhook may point at this address: its items only look like Instagram's.
  const isInstagram = object === undefined || object === "instagram";
  if (!isObject(envelope) || !isList(entries) || !isInstagram) {
    const first = isList(entries) && isObject(entries[0]) ? entries[0] : {};
    return add(unknown(envelope, idText(object) ?? null), first, reading);
  }
  for (const entry of entries) {
    if (isObject(entry)) readEntry(entry, reading);
    else add(unknown(entry), {}, reading);
  }
  addRest(envelope, ["object", "entry"], {}, reading);
}

/** What stands beside the members that we know: words that may say what happened. */
function addRest(from: JsonObject, known: readonly string[], entry: JsonObject, reading: Reading): void {
  if (keys(from).every((name) => known.includes(name))) return;
  const rest = Object.entries(from).filter(([name]) => !known.includes(name));
  add(unknown(Object.fromEntries(rest)), entry, reading);
}

/** Every item of an entry. Containers do not exclude one another; one that we do not know counts as messaging. */
function readEntry(entry: JsonObject, reading: Reading): void {
  for (const name of keys(entry)) {
    const container = entry[name];
    switch (name) {
      case "id":
      case "time":
      case "value":
        break;
      case "field": {
        // A change laid flat on the entry, as the Instagram Login pages draw it.
        const { field = null, value } = entry;
        addChange(value === undefined ? { field } : { field, value }, entry, reading);
        break;
      }
      case "changes":
        for (const change of toArray(container)) addChange(change, entry, reading);
        break;
      case "changed_fields":
        // "Include Values" is off: only the names of the fields come.
        for (const field of toArray(container)) {
          add(unknown({ changed_field: field }, idText(field) ?? null), entry, reading);
        }
        break;
      case "messaging":
      case "standby":
        for (const item of toArray(container)) add(fromItem(item, name === "standby"), entry, reading);
        break;
      default: {
        const items = typeof container === "object" ? toArray(container) : [{ [name]: container ?? null }];
        for (const item of items) add(fromItem(item, false), entry, reading);
      }
    }
  }
  if (!("field" in entry) && entry["value"] !== undefined) add(unknown({ value: entry["value"] }), entry, reading);
}

function addChange(change: Json, entry: JsonObject, reading: Reading): void {
  const found = fromChange(change);
  add(found, entry, reading);
  // An unknown one was kept whole.
  if (isObject(change) && found.item !== change) addRest(change, ["field", "value"], entry, reading);
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
  return { classified: { kind: "unknown", particulars: {}, mixed: false }, item, field, standby: false };
}

function toEvent({ classified, item, field, standby }: Found, entry: JsonObject, options: ParseOptions): Parsed {
  const entryId = idText(entry["id"]);
  const test = entryId === "0";
  const { time } = entry;
  const sentAtMs = parseTime(time);
  const timestampMs = isObject(item) ? parseTime(item["timestamp"]) : null;
  const senderId = idAt(item, "sender") ?? idAt(item, "from");
  const recipientId = idAt(item, "recipient");
  const accountId = entryId ?? (classified.kind === "message.echo" ? senderId : recipientId) ?? "";
  const testDeliveryId = test ? options.deliveryId : null;
  const key = eventKey(classified, item, { accountId, field, sentAtMs, timestampMs, testDeliveryId });
  const event: InstagramEvent = {
    key: typeof key === "string" ? key : "",
    kind: classified.kind,
    accountId,
    occurredAtMs: timestampMs ?? sentAtMs,
    sentAtMs,
    standby,
    test,
    data: item,
  };
  if (senderId !== null) event.senderId = senderId;
  if (recipientId !== null) event.recipientId = recipientId;
  // From 1e14 on it is in a unit that Meta is not known to use.
  if (time !== undefined && (sentAtMs === null || toNumber(time) >= 1e14)) event.oddTime = typeof time;
  return typeof key === "string" ? event : key.then((hashed) => ({ ...event, key: hashed }));
}

function unreadable(body: Uint8Array, options: ParseOptions): Parsed {
  return toEvent(unknown({ bodyBase64: base64FromBytes(body) }), {}, options);
}

function toArray(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null) return [];
  return isList(value) ? value : [value];
}
