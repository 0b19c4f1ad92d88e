// What the schemas of this folder are made of. None of it runs on the edge, which classifies and keys but does not validate.
import * as v from "valibot";

import type { Json } from "../events.ts";
import { isObject } from "../json.ts";
import { parseTime } from "../time.ts";

/** An id: a string of digits nearly everywhere, a number in some of Meta's samples, a string again beyond ±(2^53−1). */
export const id = v.union([v.string(), v.number()]);

/**
 * A time in any spelling that Meta uses: milliseconds, seconds, either of them as a string, or ISO 8601. Microseconds,
 * from 1e14 on, are read as well, but they are a change of Meta's that the drift report should show.
 */
export const time = v.pipe(
  v.union([v.number(), v.string()]),
  v.check((value) => parseTime(value) !== null && !(Number(value) >= 1e14)),
);

/** A count: a number, which one of Meta's samples puts in quotes. */
export const count = v.union([v.number(), v.pipe(v.string(), v.digits())]);

/**
 * A word of Meta's of which these are known. A new one is no mismatch: a handler must expect it, and the drift report
 * tells of it.
 */
export function word<const Words extends readonly string[]>(
  ...words: Words
): v.GenericSchema<string, Words[number] | NewWord> {
  return v.pipe(v.string(), v.metadata({ words }));
}

/** Any other string; written so that an editor still proposes the known words. */
type NewWord = string & Record<never, never>;

const person = v.object({
  /** An Instagram-scoped id, or the professional account's own. */
  id,
});

/** What nearly every messaging item has beside what happened. */
export const sides = {
  /** Missing from `app_roles`, from policy notices and often from edits numbered 0. */
  sender: v.exactOptional(person),
  /** Missing from edits numbered 0. */
  recipient: v.exactOptional(person),
  /** As Meta wrote it; `occurredAt` of the event is the same instant whatever the spelling. */
  timestamp: v.exactOptional(time),
};

/**
 * A messaging item: what happened stands under a key of its own. Only where a change's value was taken for its field's
 * sake is there no such key, and what happened is the item itself, so `data.message ?? data` finds it either way. Meta
 * is not known to send that.
 */
export type Item<Key extends string, Particulars, Beside> =
  | (Beside & { [K in Key]: Particulars })
  | (Beside & Particulars & { [K in Key]?: undefined });

/** The schema of an item whose particulars stand under `key`; `beside` are the fields next to it. */
export function item<Key extends string, Particulars extends v.ObjectEntries, Beside extends v.ObjectEntries>(
  key: Key,
  particulars: v.ObjectSchema<Particulars, undefined>,
  beside: Beside,
): v.GenericSchema<unknown, Item<Key, OutputOf<Particulars>, OutputOf<Beside>>> {
  const whole = v.object({ ...beside, [key]: particulars });
  const bare = v.object({ ...beside, ...particulars.entries, [key]: v.exactOptional(v.undefined()) });
  // Chosen as `classifyItem` chooses. What a computed key makes of the types is more than the compiler can follow.
  const schema: unknown = v.lazy((value) => (hasObject(value as Json, key) ? whole : bare));
  return schema as v.GenericSchema<unknown, Item<Key, OutputOf<Particulars>, OutputOf<Beside>>>;
}

type OutputOf<Entries extends v.ObjectEntries> = v.InferOutput<v.ObjectSchema<Entries, undefined>>;

function hasObject(value: Json, key: string): boolean {
  return isObject(value) && isObject(value[key]);
}
