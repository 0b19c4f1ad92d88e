import * as v from "valibot";

import type { Clock } from "#platform/clock.ts";
import type { Database } from "#store/connection/database.ts";

import { parseQuery } from "../lists/query-parameters.ts";
import { createSharedReads } from "../lists/share-reads.ts";
import { explainAbsence, type Retention } from "./explain-absence.ts";
import { type LinkedList, readIds } from "./find-ids.ts";
import { findMatches, type FoundRow, type FoundType } from "./find-matches.ts";
import { questionLengthMax } from "./find-question.ts";

/** A row with the id, and its page. */
export interface Match {
  type: FoundType;
  id: string;
  /** The path of its page of the dashboard, or where the API shows it. */
  href: string;
}

export interface FindAnswer {
  matches: Match[];
  /** Why there may be no match; null if there is one. */
  reason: string | null;
  /** The ids that were looked for, as they were read from the question. */
  searched: string[];
}

export interface FindOptions {
  retention: Retention;
  nowMs: number;
}

export interface FinderOptions {
  openReads: () => Database;
  /** Throws `ENV_INVALID`. */
  readRetention: () => Retention;
  clock: Pick<Clock, "nowMs" | "monotonicMs">;
}

/** The same question is answered once in so long: on a bad night many paste the same id. */
const sharedMs = 2_000;

/** `find` for one process, in which equal questions share an answer. */
export function createFinder({ openReads, readRetention, clock }: FinderOptions): (q: string) => Promise<FindAnswer> {
  const share = createSharedReads<FindAnswer>(sharedMs, clock);
  return (q) => share(q, async () => find(openReads(), q, { retention: readRetention(), nowMs: clock.nowMs() }));
}

export const findQuery = v.object({
  q: v.pipe(
    v.string("is missing"),
    v.check((value) => value.trim() !== "", "must not be empty"),
    v.maxLength(questionLengthMax, `must have at most ${questionLengthMax} characters`),
  ),
});

/** Reads the query of `/api/ops/find`; throws `REQUEST_INVALID`. */
export function parseFind(params: URLSearchParams): string {
  return parseQuery(findQuery, params).q;
}

/**
 * Whatever has an id: of a delivery, an event or its key, a message or comment, a person, an account, a queue message, a
 * dead letter, a trace, a replay, a backfill. The question may be a link or a line of a log with the id in it.
 */
export async function find(db: Database, q: string, options: FindOptions): Promise<FindAnswer> {
  const { ids, list } = readIds(q);
  const rows = (await findMatches(db, ids)).filter((row) => isOfList(row, list));
  const matches = rows.flatMap((row) => toMatch(row) ?? []).toSorted(byType);
  if (matches.length > 0) return { matches, reason: null, searched: ids };
  const gone = rows.flatMap(({ type, id }) => (type === "gone" ? [id] : []));
  return { matches, reason: await explainAbsence(db, { ids, gone }, options), searched: ids };
}

const types: readonly FoundType[] = [
  "delivery",
  "event",
  "replay",
  "backfill",
  "dead-letter-group",
  "dead-letter",
  "qstash-message",
  "trace",
  "person",
  "account",
];

function byType(a: Match, b: Match): number {
  return types.indexOf(a.type) - types.indexOf(b.type) || (a.id < b.id ? -1 : 1);
}

const typesOfList: Record<LinkedList, readonly FoundRow["type"][]> = {
  events: ["event", "gone"],
  deliveries: ["delivery", "dead-letter"],
  "dead-letters": ["dead-letter-group"],
  replays: ["replay"],
  backfills: ["backfill"],
};

function isOfList({ type }: FoundRow, list: LinkedList | null): boolean {
  return list === null || typesOfList[list].includes(type);
}

function toMatch({ type, id, deliveryId, eventId, groupId }: FoundRow): Match | null {
  if (type === "gone") return null;
  const hrefs: Record<FoundType, string> = {
    delivery: `/dashboard/deliveries/${id}`,
    event: `/dashboard/events/${id}`,
    person: `/dashboard/events?${new URLSearchParams({ sender: id })}`,
    account: `/dashboard/events?${new URLSearchParams({ account: id })}`,
    "qstash-message": deliveryId === null ? `/dashboard/events/${eventId}` : `/dashboard/deliveries/${deliveryId}`,
    "dead-letter": `/dashboard/dead-letters/${groupId}#letter-${id}`,
    "dead-letter-group": `/dashboard/dead-letters/${id}`,
    trace: `/dashboard/deliveries/${deliveryId}`,
    replay: `/dashboard/replays/${encodeURIComponent(id)}`,
    // It has no page of its own: the API shows it to a browser that is signed in, too.
    backfill: `/api/ops/backfills/${encodeURIComponent(id)}`,
  };
  return { type, id, href: hrefs[type] };
}
