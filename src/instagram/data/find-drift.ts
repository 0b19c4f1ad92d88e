import * as v from "valibot";

import type { EventKind, InstagramEvent, Json } from "../events.ts";
import { isObject } from "../json.ts";
import { dataSchemas } from "./event-data.ts";
import { describeUnknown, fieldName, type JsonShape, shapeOf } from "./json-shape.ts";

/** One way in which an item differs from what we know. It holds field names and shapes, never a value of the item. */
export interface Finding {
  finding:
    | "unknown_field" // of an object that we know: an addition of Meta's
    | "unknown_word" // where Meta uses a few words, one that is not among them
    | "unknown_kind" // an item of which we know nothing
    | "mismatch"; // not of the type that handlers are promised
  /** `message.attachments[].payload.new_field`; what looks like no field's name is `*`, the item itself `$`. */
  path: string;
  shape: JsonShape;
}

export interface Drift {
  /** Whether the data is not of its kind's type: `EventData[kind]` does not hold. */
  drifted: boolean;
  /** Each once, in the order of the data; at most twenty. */
  findings: Finding[];
}

const findingsMax = 20;

/** The same for an event as it crosses the queue: its entry's time is looked at too, though it is no part of the data. */
export function findEventDrift({ kind, data, oddTime }: InstagramEvent): Drift {
  const { drifted, findings } = findDrift(kind, data);
  if (oddTime === undefined) return { drifted, findings };
  return { drifted, findings: [...findings, { finding: "mismatch", path: "entry.time", shape: oddTime as JsonShape }] };
}

/**
 * Compares an event's data with its kind's schema. Additions are found and are no mismatch. Takes time in proportion to
 * the data and never throws, whatever JSON comes.
 */
export function findDrift(kind: EventKind, data: Json): Drift {
  const findings = new Map<string, Finding>();
  let drifted = false;
  const note: Note = (finding, path, shape) => {
    if (finding === "mismatch") drifted = true;
    if (findings.size < findingsMax) findings.set(`${finding} ${path} ${shape}`, { finding, path, shape });
  };
  if (kind === "unknown") for (const { path, shape } of describeUnknown(data)) note("unknown_kind", path, shape);
  else compare(dataSchemas[kind], data, "", note);
  return { drifted, findings: [...findings.values()] };
}

type Note = (finding: Finding["finding"], path: string, shape: JsonShape) => void;

/** What of a valibot schema is needed to walk it beside a value. */
interface SchemaNode extends v.GenericSchema {
  readonly entries?: Readonly<Record<string, SchemaNode>>;
  readonly item?: SchemaNode;
  readonly value?: SchemaNode;
  readonly wrapped?: SchemaNode;
  readonly pipe?: readonly unknown[];
  readonly options?: readonly SchemaNode[];
  readonly getter?: (value: unknown) => SchemaNode;
}

/**
 * valibot says whether a value fits, but neither which fields it left out nor, without collecting an issue for every
 * item of a long array, where it does not fit: so the schema is walked, and valibot asked about the leaves.
 */
function compare(schema: SchemaNode, value: Json, path: string, note: Note): void {
  if (schema.getter !== undefined) return compare(schema.getter(value), value, path, note);
  if (schema.wrapped !== undefined && value !== null) return compare(schema.wrapped, value, path, note);
  if (schema.entries !== undefined) {
    if (!isObject(value)) return noteMismatch(value, path, note);
    return compareEntries(schema.entries, value, path === "" ? "" : `${path}.`, note);
  }
  if (schema.item !== undefined) {
    if (!Array.isArray(value)) return noteMismatch(value, path, note);
    for (const child of value as readonly Json[]) compare(schema.item, child, `${path}[]`, note);
    return;
  }
  if (schema.value !== undefined) {
    if (!isObject(value)) return noteMismatch(value, path, note);
    for (const child of Object.values(value)) compare(schema.value, child, `${path}.*`, note);
    return;
  }
  // Of a union in a pipe the pipe has the last word.
  const option = schema.pipe === undefined && schema.options?.find((candidate) => v.is(candidate, value));
  if (option) return compare(option, value, path, note);
  if (!v.is(schema, value)) return noteMismatch(value, path, note);
  // Metadata is part of a pipe, which few leaves have, and takes longer to look for than all the rest.
  if (typeof value !== "string" || schema.pipe === undefined) return;
  const { words } = v.getMetadata(schema) as { words?: readonly string[] };
  if (words?.includes(value) === false) {
    note("unknown_word", `${path}=${fieldName(value)}`, "string");
  }
}

function noteMismatch(value: Json, path: string, note: Note): void {
  note("mismatch", path === "" ? "$" : path, shapeOf(value));
}

function compareEntries(
  entries: Readonly<Record<string, SchemaNode>>,
  value: { readonly [key: string]: Json },
  prefix: string,
  note: Note,
): void {
  // By keys: a pair for each entry of every event is work for the garbage collector.
  for (const key of Object.keys(entries)) {
    const entry = entries[key];
    if (entry === undefined) continue;
    const child = Object.hasOwn(value, key) ? value[key] : undefined;
    if (child !== undefined) compare(entry, child, prefix + key, note);
    else if (entry.type !== "exact_optional") note("mismatch", prefix + key, "missing");
  }
  for (const key of Object.keys(value)) {
    const child = value[key];
    if (child !== undefined && !Object.hasOwn(entries, key)) {
      note("unknown_field", prefix + fieldName(key), shapeOf(child));
    }
  }
}
