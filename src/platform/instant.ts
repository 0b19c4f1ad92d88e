import * as v from "valibot";

const instantPattern = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

const form = "must be a date or a time with its offset, such as 2026-01-31T12:00:00Z";

/** An instant as operators give it: ISO 8601 with its offset, from 1970 to 9999; a bare date means its midnight in UTC. */
export const instant = v.pipe(
  v.string(),
  v.regex(instantPattern, form),
  v.check((value) => !instantPattern.test(value) || !Number.isNaN(Date.parse(value)), form),
  v.transform((value) => new Date(value)),
  v.minValue(new Date("1970-01-01"), "must not be before 1970"),
  v.maxValue(new Date("9999-12-31"), "must not be after 9999"),
);
