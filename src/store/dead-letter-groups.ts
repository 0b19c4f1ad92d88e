import { type SQL, sql } from "drizzle-orm";

import { RelayError } from "#platform/errors.ts";

import type { Database } from "./database.ts";
import { withStoreErrors } from "./store-error.ts";

export const groupStates = ["open", "acknowledged", "resolved", "ignored"] as const;
export type GroupState = (typeof groupStates)[number];

export const groupCauses = ["qstash", "undecodable", "handler", "too-large"] as const;

/** Dead letters of one cause. Times are ISO 8601. */
export interface DeadLetterGroup {
  id: number;
  cause: (typeof groupCauses)[number];
  errorName: string | null;
  errorCode: string | null;
  kind: string | null;
  state: GroupState;
  /** Events whose handlers failed; of a batch only those that did. */
  events: number;
  openEvents: number;
  /** Batches that were never ingested, whose events are not known one by one. */
  batches: number;
  openBatches: number;
  firstAt: string;
  lastAt: string | null;
  firstDeployment: string | null;
  lastDeployment: string | null;
  /** When QStash deletes the first of its own copies of what is unresolved. */
  expiresAt: string | null;
  ignoredUntil: string | null;
  note: string | null;
  changedAt: string | null;
  changedBy: string | null;
  resolvedAt: string | null;
  resolvedBy: string | null;
  regressedAt: string | null;
}

/** One of a group's members. Of an error only what may be shown. */
export interface DeadLetter {
  id: number;
  source: string;
  recordedAt: string;
  eventId: number | null;
  kind: string | null;
  deliveryId: string | null;
  batchIndex: number | null;
  messageId: string | null;
  dlqId: string | null;
  url: string | null;
  status: number | null;
  attempts: number | null;
  errorName: string | null;
  errorCode: string | null;
  errorMessage: string | null;
  frames: string[] | null;
  deployment: string | null;
  /** `whole`: `relay dead-letters` can save it. `cut`: QStash cut its copy. `none`: it is stored as an event, or was dropped. */
  body: "whole" | "cut" | "none";
  expiresAt: string | null;
  resolvedAt: string | null;
  resolvedBy: string | null;
}

/** ISO 8601 with milliseconds, as everywhere in the API. */
function iso(column: SQL): SQL {
  return sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/**
 * What has happened since an operator, or the last member, resolved a group. Instances of an earlier deployment may still
 * be running for a while: what they add is no regression.
 */
const recurred = sql`exists (select from relay.dead_letters l where l.group_id = g.id and l.resolved_at is null
  and l.recorded_at > g.resolved_at and (g.resolved_by not like 'deployment:%' or l.deployment is null or not exists (
    select from relay.dead_letters e where e.group_id = g.id and e.deployment = l.deployment and e.recorded_at <= g.resolved_at)))`;

const hasMembers = sql`exists (select from relay.dead_letters l where l.group_id = g.id)`;
const hasUnresolved = sql`exists (select from relay.dead_letters l where l.group_id = g.id and l.resolved_at is null)`;

/** The state as maintenance will store it: between two of its runs reads must not lag behind. */
const stateNow = sql`case
  when g.state = 'resolved' then case when ${recurred} then 'open' else 'resolved' end
  when ${hasMembers} and not ${hasUnresolved} then 'resolved'
  when g.state = 'ignored' and g.ignored_until <= now() then 'open'
  else g.state end`;

const columns = sql`g.id::float8 as id, g.cause, g.error_name as "errorName", g.error_code as "errorCode", g.kind, g."stateNow" as state,
  m.events::float8 as events, m.open_events::float8 as "openEvents", m.batches::float8 as batches, m.open_batches::float8 as "openBatches",
  ${iso(sql`g.first_at`)} as "firstAt", ${iso(sql`m.last_at`)} as "lastAt", g.first_deployment as "firstDeployment",
  m.last_deployment as "lastDeployment", ${iso(sql`m.expires_at`)} as "expiresAt", ${iso(sql`g.ignored_until`)} as "ignoredUntil",
  g.note, ${iso(sql`g.changed_at`)} as "changedAt", g.changed_by as "changedBy", ${iso(sql`g.resolved_at`)} as "resolvedAt",
  g.resolved_by as "resolvedBy", ${iso(sql`g.regressed_at`)} as "regressedAt"`;

const members = sql`lateral (select
    count(distinct l.event_id) as events, count(distinct l.event_id) filter (where l.resolved_at is null) as open_events,
    count(*) filter (where l.event_id is null) as batches,
    count(*) filter (where l.event_id is null and l.resolved_at is null) as open_batches,
    max(l.recorded_at) as last_at, min(l.expires_at) filter (where l.resolved_at is null) as expires_at,
    (array_agg(l.deployment order by l.id desc) filter (where l.deployment is not null))[1] as last_deployment
  from relay.dead_letters l where l.group_id = g.id) m`;

export interface GroupFilter {
  state?: GroupState | undefined;
  cause?: string | undefined;
  /** Only groups before this one, in the order of the list. */
  before?: number | undefined;
  limit: number;
}

/** Groups, the newest first. */
export async function readGroups(
  db: Database,
  { state, cause, before, limit }: GroupFilter,
): Promise<DeadLetterGroup[]> {
  const conditions = [
    sql`true`,
    ...(state === undefined ? [] : [sql`${stateNow} = ${state}`]),
    ...(cause === undefined ? [] : [sql`g.cause = ${cause}`]),
    ...(before === undefined ? [] : [sql`g.id < ${before}`]),
  ];
  const { rows } = await db.execute<Record<string, unknown>>(sql`
    select ${columns} from (
      select g.*, ${stateNow} as "stateNow" from relay.dead_letter_groups g
      where ${sql.join(conditions, sql` and `)} order by g.id desc limit ${limit}) g, ${members} order by g.id desc`);
  return rows as unknown as DeadLetterGroup[];
}

/** One group; throws `NOT_FOUND` if there is none. */
export async function readGroup(db: Database, id: number): Promise<DeadLetterGroup> {
  const { rows } = await db.execute<Record<string, unknown>>(sql`
    select ${columns} from (select g.*, ${stateNow} as "stateNow" from relay.dead_letter_groups g where g.id = ${id}) g, ${members}`);
  if (rows[0] === undefined) throw noSuchGroup();
  return rows[0] as unknown as DeadLetterGroup;
}

const letterColumns = sql`l.id::float8 as id, l.source, ${iso(sql`l.recorded_at`)} as "recordedAt", l.event_id::float8 as "eventId", l.kind,
  l.delivery_id as "deliveryId", l.batch_index as "batchIndex", l.message_id as "messageId", l.dlq_id as "dlqId", l.url, l.status,
  l.attempts, l.error_name as "errorName", l.error_code as "errorCode", l.error_message as "errorMessage", l.frames, l.deployment,
  case when l.body is null then 'none' when l.body_whole then 'whole' else 'cut' end as body,
  ${iso(sql`l.expires_at`)} as "expiresAt", ${iso(sql`l.resolved_at`)} as "resolvedAt", l.resolved_by as "resolvedBy"`;

/** A group's members, the newest first; only those before `before`. */
export async function readLetters(
  db: Database,
  { groupId, before, limit }: { groupId: number; before?: number | undefined; limit: number },
): Promise<DeadLetter[]> {
  const { rows } = await db.execute<Record<string, unknown>>(sql`
    select ${letterColumns} from relay.dead_letters l
    where l.group_id = ${groupId} and ${before === undefined ? sql`true` : sql`l.id < ${before}`} order by l.id desc limit ${limit}`);
  return rows as unknown as DeadLetter[];
}

/** The bytes of one member, or its event's data as JSON text; both null where neither is kept. Throws `NOT_FOUND`. */
export async function readLetterBody(
  db: Database,
  { groupId, letterId }: { groupId: number; letterId: number },
): Promise<{ body: Uint8Array | null; event: StoredItem | null }> {
  const { rows } = await db.execute<Record<string, unknown>>(sql`
    select case when l.body_whole then encode(l.body, 'base64') end as body,
      case when e.id is not null and e.erased_at is null then json_build_object('kind', e.kind, 'accountId', e.account_id,
        'sentAtMs', (extract(epoch from e.sent_at) * 1000)::bigint, 'standby', e.standby, 'data', e.data)::text end as event
    from relay.dead_letters l left join relay.events e on e.id = l.event_id
    where l.group_id = ${groupId} and l.id = ${letterId}`);
  const [row] = rows as { body: string | null; event: string | null }[];
  if (row === undefined) throw new RelayError("NOT_FOUND", "There is no such dead letter");
  const body = row.body === null ? null : Buffer.from(row.body, "base64");
  return { body, event: row.event === null ? null : (JSON.parse(row.event) as StoredItem) };
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
}

/**
 * Stores an operator's decision. The members are as they were: an event is resolved by being handled, and a batch's bytes
 * are kept for a week after, so that the decision can be taken back. Throws `NOT_FOUND` and `STORE_UNAVAILABLE`.
 */
export async function changeGroup(db: Database, change: GroupChange): Promise<void> {
  const { id, state, until, note, actor, deployment } = change;
  const resolvedBy = deployment === null ? actor : `deployment:${deployment}`;
  const isResolved = state === "resolved";
  const { rowCount } = await withStoreErrors(() =>
    db.execute(sql`
      update relay.dead_letter_groups set state = ${state}, changed_at = now(), changed_by = ${actor},
        note = coalesce(${note}::text, note), ignored_until = ${until?.toISOString() ?? null}::timestamptz,
        resolved_at = ${isResolved ? sql`now()` : sql`null`}, resolved_by = ${isResolved ? sql`${resolvedBy}::text` : sql`null`},
        regressed_at = ${isResolved ? sql`null` : sql`regressed_at`}
      where id = ${id}`),
  );
  if (rowCount === 0) throw noSuchGroup();
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

function noSuchGroup(): RelayError {
  return new RelayError("NOT_FOUND", "There is no such group of dead letters");
}
