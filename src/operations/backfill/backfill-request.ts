import * as v from "valibot";

import { instant } from "#platform/instant.ts";

/** The kinds of events that Instagram's API can give back. */
export const backfillKinds = ["message", "message.echo", "message.unsupported", "comment"] as const;

const text = v.pipe(
  v.string(),
  v.minLength(1, "must not be empty"),
  v.maxLength(300, "must have at most 300 characters"),
  v.check((value) => !value.includes("\0"), "must not contain NUL"),
);
const accountId = v.pipe(v.string(), v.regex(/^\d{1,30}$/, "must be the number of an account"));

/** The body of `POST /api/ops/backfills`. Without `accounts` every account that has a token, without `until` until now. */
export const backfillRequest = v.strictObject({
  accounts: v.optional(
    v.pipe(v.array(accountId), v.minLength(1, "must not be empty"), v.maxLength(100, "has over 100 accounts")),
  ),
  kinds: v.optional(
    v.pipe(
      v.array(v.picklist(backfillKinds, `must be one of ${backfillKinds.join(", ")}`)),
      v.minLength(1, "must not be empty"),
      v.maxLength(backfillKinds.length, "repeats a kind"),
    ),
    [...backfillKinds],
  ),
  from: instant,
  until: v.optional(instant),
  reason: text,
});
export type BackfillRequest = v.InferOutput<typeof backfillRequest>;
