import { sql } from "drizzle-orm";

import { RelayError } from "#platform/errors.ts";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";

export const groupStates = ["open", "acknowledged", "resolved", "ignored"] as const;
export type GroupState = (typeof groupStates)[number];

/**
 * What has happened since an operator, or the last member, resolved a group. Instances of an earlier deployment may still
 * be running for a while: what they add is no regression.
 */
const recurred = sql`exists (select from relay.dead_letters l where l.group_id = g.id and l.resolved_at is null
  and l.recorded_at > g.resolved_at and (g.resolved_by not like 'deployment:%' or l.deployment is null or not exists (
    select from relay.dead_letters e where e.group_id = g.id and e.deployment = l.deployment and e.recorded_at <= g.resolved_at)))`;

const hasUnresolved = sql`exists (select from relay.dead_letters l where l.group_id = g.id and l.resolved_at is null)`;

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

/** What is needed to send an event again as Meta would. */
export interface StoredItem {
  kind: string;
  accountId: string;
  sentAtMs: number | null;
  standby: boolean;
  data: unknown;
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

/**
 * Brings the groups' states up to date: a resolved one with a new member is open again, and so is an ignored one whose time
 * is over; one without an unresolved member is resolved. Throws `STORE_UNAVAILABLE`.
 */
export async function settleGroups(db: Database): Promise<SettledGroups> {
  return withStoreErrors(async () => {
    const regressed = await db.execute(sql`
      update relay.dead_letter_groups g set state = 'open', regressed_at = now(), resolved_at = null, resolved_by = null
      where g.state = 'resolved' and ${recurred}`);
    const resolved = await db.execute(sql`
      update relay.dead_letter_groups g set state = 'resolved', ignored_until = null, regressed_at = null,
        resolved_at = m.resolved_at, resolved_by = m.resolved_by
      from (select distinct on (group_id) group_id, resolved_at, resolved_by from relay.dead_letters
        where resolved_at is not null order by group_id, resolved_at desc, id desc) m
      where m.group_id = g.id and g.state <> 'resolved' and not ${hasUnresolved}`);
    const reopened = await db.execute(sql`
      update relay.dead_letter_groups set state = 'open', ignored_until = null
      where state = 'ignored' and ignored_until <= now()`);
    return {
      regressed: regressed.rowCount ?? 0,
      reopened: reopened.rowCount ?? 0,
      resolved: resolved.rowCount ?? 0,
    };
  });
}
