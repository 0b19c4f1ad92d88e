import * as v from "valibot";

import { RelayError } from "#platform/errors.ts";

/** A text to compare a column with. Postgres refuses a parameter that contains NUL. */
export const plainText = v.pipe(
  v.string(),
  v.maxLength(300, "must have at most 300 characters"),
  v.check((value) => !value.includes("\0"), "must not contain NUL"),
);

/** One of some words. */
export function oneOf<const T extends readonly string[]>(words: T) {
  return v.picklist(words, `must be one of ${words.join(", ")}`);
}

/** `true` or `false`. */
export const flag = v.pipe(
  oneOf(["true", "false"]),
  v.transform((value) => value === "true"),
);

/** The number of rows of a page, 1 to 200; 50 by default. */
export const pageLimit = v.optional(
  v.pipe(v.string(), v.regex(/^([1-9]\d?|1\d\d|200)$/, "must be a whole number from 1 to 200"), v.transform(Number)),
  "50",
);

/** The schema of a query that takes no parameters. */
export const noParameters = v.object({});

export type QuerySchema = v.GenericSchema<Record<string, unknown>> & { readonly entries: v.ObjectEntries };

/**
 * Reads query parameters by a schema; throws `REQUEST_INVALID` naming every parameter that is wrong, unknown or repeated: a
 * filter that is ignored would show, or replay, more than the operator meant. An empty parameter counts as absent, because
 * a form sends its empty fields.
 */
export function parseQuery<TSchema extends QuerySchema>(
  schema: TSchema,
  params: URLSearchParams,
): v.InferOutput<TSchema> {
  const names = [...new Set(params.keys())];
  const given = Object.fromEntries([...params].filter(([, value]) => value !== ""));
  const result = v.safeParse(schema, given);
  const problems = [
    ...names.filter((name) => !Object.hasOwn(schema.entries, name)).map((name) => `${name} is no parameter of this`),
    ...names.filter((name) => params.getAll(name).length > 1).map((name) => `${name} is given more than once`),
    ...(result.issues ?? []).map(
      (issue) => `${v.getDotPath(issue) ?? "query"} ${issue.received === "undefined" ? "is missing" : issue.message}`,
    ),
  ];
  if (result.success && problems.length === 0) return result.output;
  throw new RelayError("REQUEST_INVALID", problems.join("; "));
}

/** Page cursors are opaque to the caller: each encodes the position of the last row of its page. */
export function encodeCursor(position: string): string {
  return Buffer.from(position).toString("base64url");
}

/** Reads a cursor with `decode`, which returns undefined for a position that this API never gave out. */
export function parseCursor<T>(cursor: string, decode: (position: string) => T | undefined): T | undefined {
  return decode(Buffer.from(cursor, "base64url").toString());
}

/** The position in a list that is ordered by a number, such as an id: what follows has smaller numbers. */
export function numberOf(position: string): number | undefined {
  return /^[1-9]\d{0,15}$/.test(position) ? Number(position) : undefined;
}

/** The schema of a cursor: a query whose cursor `decode` does not know is invalid. */
export function cursorOf<T>(decode: (position: string) => T | undefined) {
  return v.pipe(
    v.string(),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      const position = parseCursor(dataset.value, decode);
      if (position !== undefined) return position;
      addIssue({ message: "is not one that this API gave out" });
      return NEVER;
    }),
  );
}
