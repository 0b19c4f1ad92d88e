import { sql } from "drizzle-orm";

/**
 * SQL: since when a resolved group has recurred, null if it has not. Instances of an earlier deployment may still be running
 * for a while after the one that mends: what they add is no regression.
 */
const recurredAt = `(select min(l.recorded_at) from relay.dead_letters l
  where g.state = 'resolved' and l.group_id = g.id and l.resolved_at is null and l.recorded_at > g.resolved_at
    and (g.resolved_by not like 'deployment:%' or l.deployment is null or not exists (
      select from relay.dead_letters e
      where e.group_id = g.id and e.deployment = l.deployment and e.recorded_at <= g.resolved_at)))`;

/** SQL: a time of a member that is not resolved. By `min`, which looks it up: `exists` may read all letters for a group of few. */
const unresolvedAt = `(select min(l.recorded_at) from relay.dead_letters l
  where g.state <> 'resolved' and l.group_id = g.id and l.resolved_at is null)`;

/**
 * The groups of dead letters with the state that they have now, as text of a subquery for `from`: their columns but the
 * fingerprint, and `stored_state`. The table is up to date only after maintenance: since then a resolved group may have
 * recurred, the last member of another may have been handled, and the time of an ignored one may be over.
 */
export const currentGroupsText = `(
  select g.id, g.cause, g.error_name, g.error_code, g.kind, g.first_at, g.first_deployment, g.note, g.changed_at,
    g.changed_by, g.state as stored_state, now_is.state,
    case when now_is.state = 'ignored' then g.ignored_until end as ignored_until,
    case when n.is_over then n.resolved_at when now_is.state = 'resolved' then g.resolved_at end as resolved_at,
    case when n.is_over then n.resolved_by when now_is.state = 'resolved' then g.resolved_by end as resolved_by,
    case when not n.is_over then coalesce(n.recurred_at, g.regressed_at) end as regressed_at
  from relay.dead_letter_groups g
  cross join lateral (select ${recurredAt} as recurred_at, ${unresolvedAt} as unresolved_at offset 0) m
  left join lateral (
    select l.resolved_at, l.resolved_by from relay.dead_letters l
    where l.group_id = case when g.state <> 'resolved' and m.unresolved_at is null then g.id end and l.resolved_at is not null
    order by l.resolved_at desc limit 1
  ) last on true
  cross join lateral (
    select m.recurred_at, last.resolved_at is not null as is_over, last.resolved_at, last.resolved_by
  ) n
  cross join lateral (
    select case when n.is_over then 'resolved' when n.recurred_at is not null then 'open'
      when g.state = 'ignored' and g.ignored_until <= now() then 'open' else g.state end as state
  ) now_is
)`;

/** The same as a fragment. */
export const currentGroups = sql.raw(currentGroupsText);
