import { eventFlags, type IngestParameter, ingestParameters } from "./ingest-parameters.ts";
import type { ReplayContext } from "./leased-event.ts";
import { deletedData, hashedKey, unsentData } from "./erased-data.ts";
import { defineStatement, oneRow, type Statement } from "./named-statement.ts";

/** Deliveries that an event is linked to beside the one that brought it: a captured delivery can be sent again for ever. */
const linksMax = 4;

/** Of an event: its place in the batch from 1, its id, and what became of it. */
export type IngestedEvent =
  | [place: number, id: number, state: "new", fence: 1, attempt: 1]
  | [place: number, id: number, state: "erased"]
  | [
      place: number,
      id: number,
      state: "leased",
      fence: number,
      attempt: number,
      deliveryId: string,
      batchIndex: number,
      replay: ReplayContext | null,
    ]
  /** It must be leased alone, because a lease of it ended without a result. */
  | [place: number, id: number, state: "risky"]
  | [place: number, id: number, state: "known"];

/** Which row of the batch is written: the delivery's own, that of a later batch, or none. */
export type IngestRecord = "first" | "later" | "none";

export interface IngestedRow {
  /** 1 if the batch's row is new; 0 if the batch was stored before, or no row was asked for. */
  recorded: number;
  /**
   * Null for no event. Where a row is written, events that were known before are missing; else those that another transaction
   * stored at the same time.
   */
  events: IngestedEvent[] | null;
}

/**
 * What is new of a batch in one statement, which is a transaction of its own; without a row of the batch also what is known
 * of it, which is seldom asked for and costs an eighth more. The order within it keeps two batches with common events from a
 * deadlock: keys in the order of their hashes, then the rows of the delivery.
 */
function ingestText(recorded: IngestRecord, hasFindings: boolean): string {
  const record = { first: recordFirst, later: recordLater, none: knownEvents }[recorded];
  return `with input as materialized (
  select place, hash, unsent_hash, key, kind, account_id, sender_id, recipient_id, occurred_at, sent_at, flags, data, conversation,
    nextval('relay.event_ids') as id
  from unnest(${["hashes", "unsentHashes", "keys", "kinds", "accountIds", "senderIds", "recipientIds", "occurredAts", "sentAts", "flags", "data", "conversations"].map((name) => `:${name}`).join(", ")})
    with ordinality as u (hash, unsent_hash, key, kind, account_id, sender_id, recipient_id, occurred_at, sent_at, flags, data, conversation, place)
  where ${oneRow("place")}
), keys as (
  insert into relay.event_keys (hash, event_id) select hash, id from input order by hash
  on conflict do nothing returning event_id
), fresh as materialized (
  select input.*,
    exists (select from relay.unsent_messages m where m.hash = unsent_hash) as unsent,
    ${erased} as erased
  from input where (id in (select event_id from keys)) is true
), stored as (
  insert into relay.events (id, ingested_at, occurred_at, sent_at, erased_at, delivery_id, batch_index, standby, test, drifted,
    kind, account_id, sender_id, recipient_id, key, data)
  select id, now(), occurred_at, sent_at, case when ${anyErasure} then now() end, :deliveryId, :batchIndex,
    flags & ${eventFlags.standby} <> 0, flags & ${eventFlags.test} <> 0, flags & ${eventFlags.drifted} <> 0,
    kind, case when erased[1] then '' else account_id end, case when erased[2] then null else sender_id end,
    case when erased[3] then null else recipient_id end,
    case when ${isPersonErased} then ${hashedKey} else key end,
    case when ${isPersonErased} then '${deletedData}' when unsent then '${unsentData}' else data end
  from fresh
), work as (
  insert into relay.event_work (event_id, delivery_id, batch_index, attempts, fence, leased_until, lease_id, next_attempt_at, kind, conversation)
  select id, :deliveryId, :batchIndex, 1, 1, now() + :leaseMs * interval '1 millisecond', :leaseId, now(), kind, conversation
  from fresh where not (${anyErasure})
)${record}${hasFindings ? findings : ""}
select ${recorded === "none" ? "0" : "(select count(*)::integer from record)"} as recorded, (select json_agg(event) from (
  select case when ${anyErasure} then json_build_array(place, id, 'erased') else json_build_array(place, id, 'new', 1, 1) end as event
  from fresh${recorded === "none" ? knownOutcomes : ""}
) e) as events`;
}

/** Whether the same statement leased it before, of which the answer was lost. */
const isOwn = "coalesce(lease_id = :leaseId, false)";

/** Leases of them what is open, due and free, and links those that another delivery had brought. */
const knownEvents = `, known as materialized (
  select place, known.event_id
  from input cross join lateral (select event_id from relay.event_keys k where k.hash = input.hash limit 1) known
), free as materialized (
  select known.place, w.event_id, w.is_own, not w.is_own and (w.deaths > 0 or w.leased_until is not null) as risky
  from known cross join lateral (
    select event_id, deaths, leased_until, ${isOwn} as is_own from relay.event_work w
    where w.event_id = known.event_id and state = 'open'
      and (${isOwn} or next_attempt_at <= now() and (leased_until is null or leased_until <= now()))
    for update skip locked
  ) w
  order by w.event_id
), leased as (
  update relay.event_work w
  set attempts = attempts + (not free.is_own)::integer, fence = fence + (not free.is_own)::integer, lease_id = :leaseId,
    leased_until = now() + :leaseMs * interval '1 millisecond', queued_until = null
  from free where w.event_id = free.event_id and not free.risky
  returning free.place, free.is_own, w.event_id, w.fence, w.attempts, w.delivery_id, w.batch_index, w.replay_id

), links as (
  insert into relay.duplicate_events (delivery_id, event_id)
  select :deliveryId, event_id from known
  where (:areLinked or not exists (${ownRange("deliveries d where d.id = :deliveryId and :batchIndex = 0")})
      and not exists (${ownRange("delivery_batches b where b.delivery_id = :deliveryId and b.batch_index = :batchIndex")}))
    and (select count(*) from (select from relay.duplicate_events d where d.event_id = known.event_id limit ${linksMax}) d) < ${linksMax}
  order by event_id on conflict do nothing
)`;

/** Of a batch whose links may not have been stored: the ids of the events that it brought itself. */
function ownRange(batch: string): string {
  return `select from relay.${batch} and known.event_id between first_event_id and last_event_id`;
}

const knownOutcomes = `
  union all
  select case
    when leased.is_own and leased.fence = 1 then json_build_array(known.place, known.event_id, 'new', 1, 1)
    when leased.event_id is not null then json_build_array(known.place, known.event_id, 'leased', leased.fence,
      leased.attempts, leased.delivery_id, leased.batch_index,
      (select json_build_object('id', r.id, 'mode', r.mode, 'reason', r.reason) from relay.replays r where r.id = leased.replay_id))
    else json_build_array(known.place, known.event_id, case when free.risky then 'risky' else 'known' end) end
  from known left join free on free.event_id = known.event_id left join leased on leased.event_id = known.event_id`;

const isPersonErased = "true = any (erased)";
const anyErasure = `unsent or ${isPersonErased}`;

/** Which of an event's account, sender and recipient are erased; empty, without hashes of them, if no person is. */
const erased = `case when exists (select from relay.erased_people) then array(
      select exists (select from relay.erased_people p where p.requested_at > :receivedAt
        and p.hash = encode(substring(sha256(convert_to(person, 'UTF8')) for 16), 'hex')::uuid)
      from unnest(array[account_id, sender_id, recipient_id]) person) else '{}' end`;

/** Depends on `fresh`, so that it comes after the keys. */
const counted = `(select count(*) as n, count(*) filter (where not (${anyErasure})) as worked, min(id) as first_id, max(id) as last_id from fresh) f`;

const facts = "id, received_at, body_bytes, cold_start, probe, runtime, region, deployment, ack_ms, publish_started_at";
const factValues =
  ":deliveryId, :receivedAt, :bodyBytes, :coldStart, :probe, :runtime, :region, :deployment, :ackMs, :publishStartedAt";
const ingestTime = "(:ingestMs + extract(epoch from clock_timestamp() - statement_timestamp()) * 1000)::real";
const ofConsumer =
  "via, batches, retried, inserted, duplicates, ingest_ms, first_event_id, last_event_id, delivered_at, ingested_at, handled_at, message_id, trace_id";

/** A delivery that was reported as lost is complete now: only the answer to the forward was lost. */
const recovered = '{"counts":[["outcome",1,"fallback"],["correction",1,"lost"]]}';

/** As they were before this statement. */
const laterBatches = "(select count(*) from relay.delivery_batches b where b.delivery_id = :deliveryId)";

/** The measurement of a batch whose row is new. `first`: what counts if this batch is the first that is known of its delivery. */
function measured(first: string): string {
  return `, measured as (
  insert into relay.measurements (at, runtime, region, deployment, cold, probe, facts, first_facts, ingest_ms, inserted)
  select least(:receivedAt, now()), :runtime, :region, :deployment, :coldStart, :probe, :facts, ${first}, ingest_ms,
    case when inserted <> :events then coalesce(:insertedKinds,
      (select json_object_agg(kind, n) from (select kind, count(*) as n from fresh group by kind) k), '{}') end
  from record
)`;
}

const recordFirst = `, record as (
  insert into relay.deliveries as d (${facts}, ${ofConsumer})
  select ${factValues}, :via, :batches, :retried, n + :inserted, :events - n - :inserted, ${ingestTime},
    least(first_id, :firstEventId), greatest(last_id, :lastEventId), :deliveredAt, now(),
    case when worked + :worked = 0 and :batches = 1 then now() end, :messageId, :traceId
  from ${counted}
  on conflict (id) do update set
    ${ofConsumer
      .split(", ")
      .map((name) => `${name} = excluded.${name}`)
      .join(", ")},
    probe = d.probe or excluded.probe, deployment = coalesce(d.deployment, excluded.deployment), ack_ms = coalesce(d.ack_ms, excluded.ack_ms),
    publish_started_at = coalesce(d.publish_started_at, excluded.publish_started_at)
  where d.via is null
  returning reported_at, outcome, inserted, ingest_ms
)${measured(`case
    when reported_at is null then :firstFacts
    when outcome = 'lost' and :batches = 1 + ${laterBatches} then '${recovered}'::json
  end`)}`;

const recordLater = `, record as (
  insert into relay.delivery_batches (delivery_id, batch_index, retried, inserted, duplicates, ingest_ms, first_event_id,
    last_event_id, delivered_at, ingested_at, message_id)
  select :deliveryId, :batchIndex, :retried, n + :inserted, :events - n - :inserted, ${ingestTime},
    least(first_id, :firstEventId), greatest(last_id, :lastEventId), :deliveredAt, now(), :messageId
  from ${counted}
  on conflict do nothing
  returning inserted, ingest_ms
)${measured(`case
    when exists (select from relay.deliveries d where d.id = :deliveryId and d.outcome = 'lost' and d.via is not null
      and d.batches = 2 + ${laterBatches}) then '${recovered}'::json
  end`)}, delivery as (
  insert into relay.deliveries (${facts}) select ${factValues} from record
  on conflict do nothing
)`;

const findings = `, found as (
  insert into relay.drift_findings (kind, path, finding, shape, count, seen_at, event_id)
  select fresh.kind, d.path, d.finding, d.shape, 1, :deliveredAt, fresh.id
  from unnest(:findingPlaces, :findings, :findingPaths, :findingShapes) as d (place, finding, path, shape)
  join fresh on fresh.place = d.place
)`;

const statements = new Map<string, Statement<IngestParameter>>();

/** The statement that stores events. */
export function ingestStatement(record: IngestRecord, hasFindings: boolean): Statement<IngestParameter> {
  const name = `${record}${hasFindings ? "-findings" : ""}`;
  const known = statements.get(name);
  if (known !== undefined) return known;
  const statement = defineStatement(ingestText(record, hasFindings), ingestParameters);
  statements.set(name, statement);
  return statement;
}
