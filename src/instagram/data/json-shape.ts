import type { Json } from "../events.ts";
import { isObject } from "../json.ts";

/** A JSON type; `missing` for a field that should be there. */
export type JsonShape = "null" | "boolean" | "number" | "string" | "array" | "object" | "missing";

/** The JSON type of a value; `missing` for `undefined`. */
export function shapeOf(value: Json | undefined): JsonShape {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value as Exclude<JsonShape, "null" | "array" | "missing">;
}

/**
 * A key as operators may see it: unchanged if it looks like a field's name, else `*`. Keys can be ids, or
 * anything at all in what only claims to be an item; `app_roles` has app ids for keys.
 */
export function fieldName(key: string): string {
  return /^[A-Za-z][\w-]{0,39}$/.test(key) && !/\d{4}/.test(key) ? key : "*";
}

/** What of an item is no news whatever it is about. */
const noNews = new Set(["sender", "recipient", "timestamp"]);

/** How an item of no known kind is recognised: by its field, by the product it is of, else by its keys. */
export function describeUnknown(data: Json): { path: string; shape: JsonShape }[] {
  if (!isObject(data)) return [{ path: "$", shape: shapeOf(data) }];
  const { field, object, changed_field: changedField } = data;
  if (typeof field === "string") return [{ path: `field=${fieldName(field)}`, shape: shapeOf(data["value"]) }];
  if (typeof changedField === "string") return [{ path: `changed_field=${fieldName(changedField)}`, shape: "string" }];
  if (typeof object === "string") return [{ path: `object=${fieldName(object)}`, shape: "object" }];
  const keys = Object.keys(data).filter((key) => !noNews.has(key));
  if (keys.length === 0) return [{ path: "$", shape: "object" }];
  return keys.map((key) => ({ path: fieldName(key), shape: shapeOf(data[key]) }));
}
