import { base64FromBytes } from "#platform/bytes.ts";
import { keys, toNumber } from "#platform/natives.ts";

import { type Classified, classifyChange, classifyItem } from "./classify.ts";
import { eventKey, hashedKey, idAt, isLong } from "./event-key.ts";
import type { InstagramEvent, Json } from "./events.ts";
import { idText, isList, isObject, isTooDeep, type JsonObject, type LosslessJson, readLosslessJson } from "./json.ts";
import { parseTime } from "./time.ts";

export interface ParseOptions {
  /** Becomes part of the key of a dashboard test. */
  deliveryId: string;
  /** Called with a bug of our own, after which the body is kept as its bytes. */
  onFailure: (thrown: unknown) => void;
}

/** One item, with what its container says about it. */
interface Found {
  classified: Classified;
  /** The item as Meta sent it, without the container it came in. */
  item: Json;
  field: string | null;
  standby: boolean;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Meta sends at most 1,000 updates at once; a body with far more items is kept as its bytes. */
const itemsMax = 5_000;

/**
 * All events of a verified body, in Meta's order: every container of every entry. What is not recognised becomes an
 * `unknown` event with its raw JSON. A body that is not JSON, or that would lose something, becomes one with its bytes in
 * base64: once the signature is valid, nothing about a payload may lose it. Rejects only if the platform cannot hash.
 */
export async function parseWebhook(body: Uint8Array, options: ParseOptions): Promise<InstagramEvent[]> {
  const reading: Reading = { options, isAnyTooDeep: false, isTooLong: false, events: [], hashing: [] };
  try {
    const json = readBodyJson(body);
    if (json === undefined) return await unreadable(body, options);
    reading.isAnyTooDeep = json.isTooDeep;
    // Meta's examples page wraps some samples in an array.
    for (const envelope of isList(json.value) ? json.value : [json.value]) readEnvelope(envelope, reading);
    if (reading.isTooLong) return await unreadable(body, options);
    if (json.isTooDeep || !json.isWhole) reading.events.push(...(await unreadable(body, options)));
    if (reading.hashing.length > 0) await Promise.all(reading.hashing);
    return reading.events;
  } catch (thrown) {
    options.onFailure(thrown);
    return unreadable(body, options);
  }
}

/** Undefined if the body is not JSON in UTF-8; the decoder drops a byte order mark. */
function readBodyJson(body: Uint8Array): LosslessJson | undefined {
  try {
    return readLosslessJson(decoder.decode(body));
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof TypeError) return undefined;
    throw thrown;
  }
}

/** What has been read of a body so far. */
interface Reading {
  options: ParseOptions;
  isAnyTooDeep: boolean;
  isTooLong: boolean;
  events: InstagramEvent[];
  /** Of the few events whose keys have to be hashed. */
  hashing: Promise<void>[];
}

function add(found: Found, entry: JsonObject, reading: Reading): void {
  if (reading.events.length >= itemsMax) {
    reading.isTooLong = true;
    return;
  }
  // The whole body is then kept as its bytes, beside the other items.
  if (reading.isAnyTooDeep && isTooDeep(found.item)) return;
  const event = toEvent(found, entry, reading.options);
  reading.events.push(event);
  if (isLong(event.key)) reading.hashing.push(hashKey(event));
}

async function hashKey(event: InstagramEvent): Promise<void> {
  event.key = await hashedKey(event.key);
}

async function unreadable(body: Uint8Array, options: ParseOptions): Promise<InstagramEvent[]> {
  const event = toEvent(unknown({ bodyBase64: base64FromBytes(body) }), {}, options);
  await hashKey(event);
  return [event];
}

function readEnvelope(envelope: Json, reading: Reading): void {
  const { object, entry: entries } = isObject(envelope) ? envelope : {};
  // Another product's webhook may use this address, and its items resemble Instagram's.
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

/** The members that we do not know: they may say what happened. */
function addRest(from: JsonObject, known: readonly string[], entry: JsonObject, reading: Reading): void {
  if (keys(from).every((name) => known.includes(name))) return;
  const rest = Object.entries(from).filter(([name]) => !known.includes(name));
  add(unknown(Object.fromEntries(rest)), entry, reading);
}

/** Adds every item of an entry. An entry may have several containers; an unknown container is read as messaging. */
function readEntry(entry: JsonObject, reading: Reading): void {
  for (const name of keys(entry)) {
    const container = entry[name];
    switch (name) {
      case "id":
      case "time":
      case "value":
        break;
      case "field": {
        // A change whose members are the entry's own, as the Instagram Login pages show it.
        const { field = null, value } = entry;
        addChange(value === undefined ? { field } : { field, value }, entry, reading);
        break;
      }
      case "changes":
        for (const change of toArray(container)) addChange(change, entry, reading);
        break;
      case "changed_fields":
        // "Include Values" is off: Meta sends only the names of the fields.
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
  // An unknown change was kept whole.
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
  // The name of an unknown field is part of what happened.
  if (classified.kind === "unknown") return unknown(change, field);
  return { classified, item: value, field, standby: field === "standby" };
}

function unknown(item: Json, field: string | null = null): Found {
  return { classified: { kind: "unknown", particulars: {}, mixed: false }, item, field, standby: false };
}

function toEvent(
  { classified, item, field, standby }: Found,
  entry: JsonObject,
  options: ParseOptions,
): InstagramEvent {
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
    key,
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
  // From 1e14 on the unit is one that Meta does not use.
  if (time !== undefined && (sentAtMs === null || toNumber(time) >= 1e14)) event.oddTime = typeof time;
  return event;
}

function toArray(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null) return [];
  return isList(value) ? value : [value];
}
