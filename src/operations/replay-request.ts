import * as v from "valibot";

import { runtimes } from "#platform/delivery.ts";
import { instant } from "#platform/instant.ts";
import { replayStates } from "#store/replays/replay-filter.ts";

const text = v.pipe(
  v.string(),
  v.minLength(1, "must not be empty"),
  v.maxLength(300, "must have at most 300 characters"),
  v.check((value) => !value.includes("\0"), "must not contain NUL"),
);
const id = v.pipe(v.number(), v.safeInteger("must be a whole number"), v.minValue(1, "must be at least 1"));
const instantText = v.pipe(
  instant,
  v.transform((at) => at.toISOString()),
);

const flag = v.optional(v.boolean());

const filter = v.pipe(
  v.strictObject({
    ids: v.optional(
      v.pipe(v.array(id), v.minLength(1, "must not be empty"), v.maxLength(10_000, "has over 10,000 ids")),
    ),
    kind: v.optional(text),
    account: v.optional(text),
    sender: v.optional(text),
    state: v.optional(v.picklist(replayStates, `must be one of ${replayStates.join(", ")}`)),
    error: v.optional(text),
    group: v.optional(id),
    deliveryId: v.optional(text),
    runtime: v.optional(v.picklist(runtimes, `must be one of ${runtimes.join(", ")}`)),
    test: flag,
    standby: flag,
    drifted: flag,
    replay: v.optional(text),
    from: v.optional(instantText),
    to: v.optional(instantText),
    unknown: v.optional(v.literal(true, "must be true")),
  }),
  v.check((conditions) => Object.values(conditions).some((one) => one !== undefined), "has no condition"),
);

/** Of events; a handler that takes 100 ms has four of them at once in 40 ms. */
export const ratePerMinuteUsual = 6_000;

/** The body of `POST /api/ops/replays`. */
export const planRequest = v.strictObject({
  filter,
  mode: v.optional(v.picklist(["unfinished", "again"], "must be unfinished or again"), "unfinished"),
  reason: text,
  ratePerMinute: v.optional(
    v.pipe(
      v.number(),
      v.safeInteger("must be a whole number"),
      v.minValue(1, "must be at least 1"),
      v.maxValue(100_000, "must be at most 100000"),
    ),
    ratePerMinuteUsual,
  ),
});

export type PlanRequest = v.InferOutput<typeof planRequest>;

/** What a replay is to take, before the plan freezes it. */
export type AskedFilter = PlanRequest["filter"];

/** The body of `POST /api/ops/replays/{id}/start`. */
export const startRequest = v.strictObject({ confirmCount: v.optional(v.pipe(v.number(), v.safeInteger())) });

/** The body of a request that needs none. */
export const emptyRequest = v.strictObject({});
