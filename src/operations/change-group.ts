import * as v from "valibot";

import type { Clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import { instant } from "#platform/instant.ts";
import type { Log } from "#platform/log.ts";
import type { Database } from "#store/connection/database.ts";
import { changeGroup, groupStates } from "#store/dead-letters/dead-letter-groups.ts";

/** The body of `POST /api/ops/dead-letters/{groupId}/state`. */
export const groupRequest = v.strictObject({
  state: v.picklist(groupStates, `must be one of ${groupStates.join(", ")}`),
  until: v.optional(instant),
  note: v.optional(v.pipe(v.string(), v.maxLength(1_000, "must have at most 1000 characters"))),
  deployment: v.optional(v.pipe(v.string(), v.regex(/^[\w.-]{1,100}$/, "must be the id of a deployment"))),
  /** The group's `changedAt` that the operator saw: if it has changed since, nothing is done. */
  seenChangedAt: v.optional(v.nullable(instant)),
});

/**
 * Stores an operator's decision about a group of dead letters. Throws `REQUEST_INVALID` if an ignored group has no end in the
 * future, or `until` or `deployment` belongs to another state, `CONFLICT` if another one was made that the operator has not
 * seen, `NOT_FOUND` and `STORE_UNAVAILABLE`.
 */
export async function decideGroup(
  id: number,
  { state, until, note, deployment, seenChangedAt }: v.InferOutput<typeof groupRequest>,
  { db, clock, log, actor }: { db: Database; clock: Clock; log: Log; actor: string },
): Promise<void> {
  if (state === "ignored" && (until === undefined || until.getTime() <= clock.nowMs())) {
    throw new RelayError("REQUEST_INVALID", "until must be a time in the future");
  }
  if (until !== undefined && state !== "ignored") throw new RelayError("REQUEST_INVALID", "until is for ignored");
  if (deployment !== undefined && state !== "resolved") {
    throw new RelayError("REQUEST_INVALID", "deployment is for resolved");
  }
  const change = { id, state, until: until ?? null, note: note?.replaceAll("\0", "\uFFFD") ?? null };
  await changeGroup(db, { ...change, actor, deployment: deployment ?? null, seenChangedAt });
  log.info("dead_letter.group_changed", { group: id, state, actor });
}
