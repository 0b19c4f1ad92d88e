import { defineCall, defineStatement, oneRow } from "./named-statement.ts";

/**
 * Arrays hold a value for each result, those of `count…` one for each counter. Frames are joined by line feeds, because an
 * array of arrays of different lengths is none.
 */
const parameters = {
  ids: "bigint[]",
  fences: "integer[]",
  outcomes: "text[]",
  attempts: "smallint[]",
  deliveryIds: "uuid[]",
  startedAts: "timestamptz[]",
  durations: "real[]",
  retryMs: "bigint[]",
  queuedMs: "bigint[]",
  errorNames: "text[]",
  errorCodes: "text[]",
  errorMessages: "text[]",
  frames: "text[]",
  fingerprints: "text[]",
  kinds: "text[]",
  replayIds: "text[]",
  countNames: "text[]",
  counts: "bigint[]",
  deployment: "text",
  messageId: "text",
  deliveryId: "uuid",
  ownMs: "real",
  facts: "json",
  measuredIds: "uuid[]",
  measuredFacts: "text[]",
} as const;

export type SettleParameter = keyof typeof parameters;

export interface SettledRow {
  /** Events whose failure, death or release was not stored, because another lease was taken. */
  lost: number[] | null;
  /** Deliveries that another transaction may be settling at the same time. */
  unsure: string[] | null;
}

/** Work of a batch; its events have ids within a narrow range, so that no index on the delivery is needed. */
function openWork(batch: string, deliveryId: string, handledIds: string): string {
  return `select from relay.event_work w where w.event_id between ${batch}.first_event_id and ${batch}.last_event_id
    and w.delivery_id = ${deliveryId} and w.event_id <> all (${handledIds})`;
}

/** Whether no batch is missing and no event is open but those handled here, of a row `d` of `deliveries`. */
function isHandled(handledIds: string): string {
  return `d.via is not null and not exists (${openWork("d", "d.id", handledIds)})
    and (d.batches = 1 or d.batches = 1 + (
      select count(*) from relay.delivery_batches b
      where b.delivery_id = d.id and not exists (${openWork("b", "d.id", handledIds)})))`;
}

/** Whether a lease of the same delivery may be settled at the same time, by another call. */
function isShared(handledIds: string): string {
  return `d.batches is distinct from 1
    or exists (${openWork("d", "d.id", handledIds)} and w.fence > 1 and w.leased_until is not null)`;
}

/**
 * The ids are in their order. The planner mostly finds the table of open work empty, and then would read the whole of it and
 * compare each row with each result; a range is one search of the index.
 */
const idRange = "(:ids)[1] and (:ids)[cardinality(:ids)]";

/** Only with a handled event, so that a settlement which is sent again counts nothing twice. */
const counted = `counted as (
  insert into relay.handler_count_increments (name, count)
  select * from unnest(:countNames, :counts) where exists (select from handled)
)`;

const handledIds = "array(select id from r where outcome = 'handled')";

const anyResults = `with r as materialized (
  select * from unnest(:ids, :fences, :outcomes, :attempts, :deliveryIds, :startedAts, :durations, :retryMs, :queuedMs,
    :errorNames, :errorCodes, :errorMessages, :frames, :fingerprints, :kinds, :replayIds)
    as r (id, fence, outcome, attempt, delivery_id, started_at, ms, retry_ms, queued_ms,
      error_name, error_code, error_message, frames, fingerprint, kind, replay_id)
  where ${oneRow("id")}
), handled as (
  -- By each id, once the planner knows of many rows; until then by the range. An array of the ids would read the whole table.
  delete from relay.event_work w using r
  where r.outcome = 'handled' and w.event_id = r.id and w.event_id between ${idRange}
  returning w.event_id
), kept as (
  update relay.event_work w
  set leased_until = null,
    state = case when r.outcome = 'dead' then 'dead' else 'open' end,
    attempts = w.attempts - case when r.outcome = 'released' then 1 else 0 end,
    next_attempt_at = now() + r.retry_ms * interval '1 millisecond',
    queued_until = now() + r.queued_ms * interval '1 millisecond',
    first_failed_at = case when r.outcome = 'released' then w.first_failed_at else coalesce(w.first_failed_at, now()) end,
    error_name = case when r.outcome = 'released' then w.error_name else r.error_name end,
    error_code = case when r.outcome = 'released' then w.error_code else r.error_code end
  from r
  where r.outcome <> 'handled' and w.event_id = r.id and w.event_id between ${idRange} and w.fence = r.fence and w.leased_until is not null
  returning w.event_id, w.batch_index
), tried as (
  insert into relay.handler_attempts (event_id, at, ms, attempt, error_name, error_code, error_message, frames, deployment, message_id, replay_id)
  select id, started_at, ms, attempt, error_name, error_code, error_message, string_to_array(frames, E'\\n'), :deployment, :messageId, replay_id
  from r where outcome <> 'released' and (outcome <> 'handled' or fence > 1 or replay_id is not null)
    -- The statement may be sent again.
    and not exists (select from relay.handler_attempts a
      where a.event_id = r.id and a.at = r.started_at and a.attempt = r.attempt)
), dead as materialized (
  select r.*, kept.batch_index from r join kept on kept.event_id = r.id where r.outcome = 'dead'
), made as (
  insert into relay.dead_letter_groups (fingerprint, cause, error_name, error_code, kind, first_at, first_deployment)
  select distinct on (fingerprint) fingerprint, 'handler', error_name, error_code, kind, now(), :deployment
  from dead where not exists (select from relay.dead_letter_groups g where g.fingerprint = dead.fingerprint)
  order by fingerprint, id
  on conflict (fingerprint) do nothing
  returning id, fingerprint
), letters as (
  insert into relay.dead_letters as l (source, source_id, group_id, recorded_at, event_id, kind, delivery_id, batch_index,
    attempts, error_name, error_code, error_message, frames, deployment, message_id)
  select 'handler', dead.id::text,
    coalesce((select id from made where made.fingerprint = dead.fingerprint),
      (select id from relay.dead_letter_groups g where g.fingerprint = dead.fingerprint)),
    now(), dead.id, kind, delivery_id, batch_index, attempt, error_name, error_code, error_message,
    string_to_array(frames, E'\\n'), :deployment, :messageId
  from dead
  on conflict (source, source_id) do update set group_id = excluded.group_id, recorded_at = excluded.recorded_at,
    attempts = excluded.attempts, error_name = excluded.error_name, error_code = excluded.error_code,
    error_message = excluded.error_message, frames = excluded.frames, deployment = excluded.deployment,
    message_id = excluded.message_id, resolved_at = null, resolved_by = null
), resolved as (
  update relay.dead_letters l set resolved_at = now(), resolved_by = coalesce(r.replay_id, 'handled')
  from r
  where r.outcome = 'handled' and r.fence > 1 and l.source = 'handler' and l.source_id = r.id::text
    -- Not \`is null\`, by which the planner would read every open dead letter instead of this one.
    and coalesce(l.resolved_at, 'infinity') = 'infinity'
), ${counted}, touched as materialized (
  select delivery_id, sum(ms) filter (where fence = 1 and outcome <> 'released' and replay_id is null
      and (id in (select event_id from handled) or id in (select event_id from kept))) as own_ms, bool_or(fence > 1) as is_late
  from r group by 1 having bool_or(outcome = 'handled') or bool_or(fence = 1 and outcome <> 'released')
), marked as (
  update relay.deliveries d
  set handler_ms = case when own_ms is null then handler_ms else coalesce(handler_ms, 0) + own_ms end,
    handled_at = coalesce(handled_at, case when ${isHandled(handledIds)} then now() end)
  from touched where d.id = touched.delivery_id
  returning d.id, handled_at is null and (is_late or ${isShared(handledIds)}) as is_unsure
), measured as (
  insert into relay.measurements (at, runtime, region, deployment, cold, probe, facts)
  select now(), coalesce(d.runtime, ''), d.region, :deployment, d.cold_start, coalesce(d.probe, false), m.facts::json
  from unnest(:measuredIds, :measuredFacts) with ordinality m (delivery_id, facts, place)
  left join relay.deliveries d on d.id = m.delivery_id
  -- A settlement that is sent again counts nothing twice.
  where ${oneRow("place")} and (exists (select from handled) or exists (select from kept))
)
select
  (select json_agg(id) from r where outcome <> 'handled' and id not in (select event_id from kept)
    -- Its lease is the newest, so this result is stored already.
    and not exists (select from relay.event_work w where w.event_id = id and w.fence = r.fence)) as lost,
  (select json_agg(id) from marked where is_unsure) as unsure`;

/** Stores any number of results; one statement, which is a transaction of its own. */
export const settleStatement = defineStatement<SettleParameter>(anyResults, parameters);

/** The same for first attempts of one delivery that succeeded; `ownMs` is how long they took together. */
export const settleFirstSuccesses = defineCall("settle_first_successes", {
  ids: parameters.ids,
  deliveryId: parameters.deliveryId,
  ownMs: parameters.ownMs,
  countNames: parameters.countNames,
  counts: parameters.counts,
  deployment: parameters.deployment,
  facts: parameters.facts,
});

/** Marks deliveries of which no batch is missing and no event is open. */
export const markHandledStatement = defineCall("mark_handled", { deliveryIds: "uuid[]" });
