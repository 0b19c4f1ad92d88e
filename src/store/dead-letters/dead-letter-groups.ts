import { sql } from "drizzle-orm";

import { RelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import type { StoredItem } from "../ingest/stored-item.ts";
import { currentGroups } from "./current-groups.ts";

export const groupStates = ["open", "acknowledged", "resolved", "ignored"] as const;
export type GroupState = (typeof groupStates)[number];

/** The bytes of one member, or its event's data as JSON text; both null where neither is kept. Throws `NOT_FOUND`. */
export async function readLetterBody(
  db: Database,
  { groupId, letterId }: { groupId: number; letterId: number },
): Promise<{ body: Uint8Array | null; event: StoredItem | null }> {
  const { rows } = await db.execute(sql`
    select case when l.body_whole then encode(l.body, 'base64') end as body,
      case when e.id is not null and e.erased_at is null then json_build_object('kind', e.kind, 'accountId', e.account_id,
        'sentAtMs', (extract(epoch from e.sent_at) * 1000)::bigint, 'standby', e.standby, 'data', e.data)::text end as event
    from relay.dead_letters l left join relay.events e on e.id = l.event_id
    where l.group_id = ${groupId} and l.id = ${letterId}`);
  const [row] = rows as { body: string | null; event: string | null }[];
  if (row === undefined) throw new RelayError("NOT_FOUND", "There is no such dead letter");
  const bytes = row.body === null ? null : Buffer.from(row.body, "base64");
  return { body: bytes, event: row.event === null ? null : (JSON.parse(row.event) as StoredItem) };
}

export interface GroupChange {
  id: number;
  state: GroupState;
  /** Of `ignored`. */
  until: Date | null;
  note: string | null;
  /** Who decided it, and for `resolved` the deployment that mends the cause, if one does. */
  actor: string;
  deployment: string | null;
  /** When the group had changed last as the operator saw it, so that no other decision is replaced unseen; undefined if that is no matter. */
  seenChangedAt: Date | null | undefined;
}

/**
 * Stores an operator's decision. The members are as they were: an event is resolved by being handled, and a batch's bytes
 * are kept for a week after, so that the decision can be taken back. Throws `NOT_FOUND`, `CONFLICT` and `STORE_UNAVAILABLE`.
 */
export async function changeGroup(db: Database, change: GroupChange): Promise<void> {
  const { id, state, until, note, actor, deployment, seenChangedAt } = change;
  const isAsSeen =
    seenChangedAt === undefined
      ? sql`true`
      : sql`changed_at is not distinct from ${seenChangedAt?.toISOString() ?? null}::timestamptz`;
  const resolvedBy = deployment === null ? actor : `deployment:${deployment}`;
  const isResolved = state === "resolved";
  const { rowCount } = await withStoreErrors(() =>
    db.execute(sql`
      update relay.dead_letter_groups set state = ${state}, changed_at = now(), changed_by = ${actor},
        note = coalesce(${note}::text, note), ignored_until = ${until?.toISOString() ?? null}::timestamptz,
        resolved_at = ${isResolved ? sql`now()` : sql`null`}, resolved_by = ${isResolved ? sql`${resolvedBy}::text` : sql`null`},
        regressed_at = ${isResolved ? sql`null` : sql`regressed_at`}
      where id = ${id} and ${isAsSeen}`),
  );
  if (rowCount === 0) throw await changedMeanwhile(db, id);
}

async function changedMeanwhile(db: Database, id: number): Promise<RelayError> {
  const { rows } = await db.execute<{ state: string; by: string | null }>(
    sql`select state, changed_by as by from relay.dead_letter_groups where id = ${id}`,
  );
  const [found] = rows;
  if (found === undefined) return new RelayError("NOT_FOUND", "There is no such group of dead letters");
  return new RelayError(
    "CONFLICT",
    `Meanwhile ${found.by ?? "another operator"} made the group ${found.state}: look at it again`,
  );
}

export interface SettledGroups {
  regressed: number;
  reopened: number;
  resolved: number;
}

/** Stores the state that each group has now, and logs regressions; returns how many became open or resolved. Throws `STORE_UNAVAILABLE`. */
export async function settleGroups(db: Database, log: Pick<Log, "warn">): Promise<SettledGroups> {
  const { rows } = await withStoreErrors(() =>
    db.execute<{ before: GroupState; state: GroupState }>(sql`
      update relay.dead_letter_groups g set state = c.state, ignored_until = c.ignored_until, resolved_at = c.resolved_at,
        resolved_by = c.resolved_by, regressed_at = c.regressed_at
      from ${currentGroups} c
      where c.id = g.id and c.state <> c.stored_state
        -- An operator may decide meanwhile.
        and g.state = c.stored_state and g.changed_at is not distinct from c.changed_at
      returning c.stored_state as before, g.state`),
  );
  const count = (state: GroupState, before?: GroupState) =>
    rows.filter((row) => row.state === state && (before === undefined || row.before === before)).length;
  const regressed = count("open", "resolved");
  if (regressed > 0) log.warn("dead_letter.regressed", { groups: regressed });
  return { regressed, reopened: count("open", "ignored"), resolved: count("resolved") };
}
