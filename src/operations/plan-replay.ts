import { RelayError } from "#platform/errors.ts";
import { isTooSlow } from "#store/connection/store-error.ts";
import { countReclassified, unknownEventsMax } from "#store/replays/replay-events.ts";
import { type ReplaySelection, selectedLetters } from "#store/replays/replay-filter.ts";
import { readLastLetterId } from "#store/replays/replay-letters.ts";
import { readLastEventId, readPreview, type ReplayPreview } from "#store/replays/replay-preview.ts";
import { createReplay } from "#store/replays/replays.ts";

import { type DescribedReplay, describeReplay, type ReplayPlan } from "./describe-replay.ts";
import type { Operations } from "./operations.ts";
import { estimate } from "./replay-pace.ts";
import type { PlanRequest } from "./replay-request.ts";

/** Beyond it the set may be another one. */
const planKeptMs = 15 * 60_000;

/**
 * Looks at what a replay would take at this moment, and the selection that its plan would freeze; stores nothing, so
 * connections that can only read suffice. Throws `REQUEST_INVALID` if
 * the events cannot be counted in time, or too many unknown ones are to be classified again, and `STORE_UNAVAILABLE`.
 */
export async function previewReplay(
  { filter, mode, ratePerMinute }: Pick<PlanRequest, "filter" | "mode" | "ratePerMinute">,
  { db, clock, reclassify }: Pick<Operations, "db" | "clock" | "reclassify">,
): Promise<{ selection: ReplaySelection; plan: ReplayPlan }> {
  const nowMs = clock.nowMs();
  const { to = new Date(nowMs).toISOString(), from = null, ...conditions } = filter;
  const eventIdMax = await readLastEventId(db);
  const selection: ReplaySelection = { filter: { ...conditions, from, to }, mode, eventIdMax };
  const preview = await readKnown(selection, { db, reclassify }).catch((thrown: unknown) => {
    if (!isTooSlow(thrown)) throw thrown;
    const message = "The events are too many to be counted: narrow the conditions by from and to";
    throw new RelayError("REQUEST_INVALID", message, { cause: thrown });
  });
  const plan: ReplayPlan = {
    ...preview,
    ...estimate({ events: preview.count, batches: preview.batches }, ratePerMinute),
    expiresAt: new Date(nowMs + planKeptMs).toISOString(),
    endsWithPlan: filter.to === undefined,
    warnings: warningsOf(preview, mode),
  };
  return { selection, plan };
}

/**
 * Plans a replay: freezes the filter, with an upper bound, and shows what it would take. Nothing else is changed. Throws
 * what `previewReplay` throws.
 */
export async function planReplay(
  request: PlanRequest,
  actor: string,
  operations: Operations,
): Promise<DescribedReplay> {
  const { db, log, newId } = operations;
  const { selection, plan } = await previewReplay(request, operations);
  const { mode, reason, ratePerMinute } = request;
  const letters = selectedLetters(selection) === undefined || plan.batches === 0 ? 0 : await readLastLetterId(db);
  const replay = await createReplay(db, {
    id: `rp_${newId().replaceAll("-", "")}`,
    ...selection,
    reason,
    actor,
    plan: { ...plan },
    cursor: letters === 0 ? 0 : -(letters + 1),
    ratePerMinute,
    total: plan.count + plan.batches,
  });
  log.info("replay.planned", { replayId: replay.id, mode, events: plan.count, batches: plan.batches, actor });
  return describeReplay(db, replay);
}

/** Of unknown events only those count that are known by now. */
async function readKnown(
  selection: ReplaySelection,
  { db, reclassify }: Pick<Operations, "db" | "reclassify">,
): Promise<ReplayPreview> {
  const preview = await readPreview(db, selection);
  if (selection.filter.unknown !== true) return preview;
  if (preview.count > unknownEventsMax) {
    const found = `${preview.count} unknown events are more than can be classified at once`;
    throw new RelayError("REQUEST_INVALID", `${found}: narrow the filter by from and to`);
  }
  const byKind = await countReclassified(db, selection, reclassify);
  return { ...preview, byKind, count: Object.values(byKind).reduce((sum, count) => sum + count, 0) };
}

/** https://developers.facebook.com/docs/messenger-platform/policy/policy-overview#standard-messaging */
function warningsOf({ byAge: { lt7d, older }, batches, lettersWithoutBatch }: ReplayPreview, mode: string): string[] {
  const late = lt7d + older;
  return [
    ...(late === 0
      ? []
      : [
          `${late} happened over 24 hours ago: Meta refuses an automatic answer; a person may answer within 7 days, which ${older} are past.`,
        ]),
    ...(mode === "again" ? ["Handlers that succeeded run again: they must bear it, see context.replay."] : []),
    ...(batches === 0 ? [] : [`${batches} batches were never ingested: their events are not in the counts above.`]),
    ...(lettersWithoutBatch === 0
      ? []
      : [
          `Dead letters that are not taken: ${lettersWithoutBatch}. They are no batches, or only QStash has all their bytes; maintenance fetches those.`,
        ]),
  ];
}
