import { type SQL, sql } from "drizzle-orm";

/**
 * Deliveries (`rows` of their table, all unless given) with what became of them, as a subquery for `from`: the columns of
 * `deliveries`, of which `inserted`, `duplicates`, `delivered_at` and `ingested_at` are of the first batch alone, beside
 *
 * - `became`: the outcome; null while neither a report nor the first batch is here, and of a backfill, which has no forward;
 * - `ingested_batches`, and `complete`: whether every batch is ingested;
 * - `all_inserted` and `all_duplicates`, summed over the ingested batches;
 * - `first_delivered_at` of the first batch that arrived, `last_ingested_at` of the last.
 */
export function deliveryOutcomes(rows: SQL = sql`relay.deliveries`): SQL {
  return sql`(
  select d.*, batch.*,
    case
      -- Everything is here: only the answer to the forward was lost.
      when d.outcome = 'lost' and batch.complete then 'fallback'
      -- Most forwards are sampled away, and some reports are still under way: then the way that the first batch came.
      else coalesce(d.outcome, case d.via when 'queue' then 'published' when 'fallback' then 'fallback' end)
    end as became
  from ${rows} d
  cross join lateral (
    select
      (d.ingested_at is not null)::int + later.count as ingested_batches,
      d.ingested_at is not null and later.count + 1 >= d.batches as complete,
      coalesce(d.inserted, 0) + later.inserted as all_inserted,
      coalesce(d.duplicates, 0) + later.duplicates as all_duplicates,
      least(d.delivered_at, later.delivered_at) as first_delivered_at,
      greatest(d.ingested_at, later.ingested_at) as last_ingested_at
    from (
      select count(*)::int as count, coalesce(sum(inserted), 0)::int as inserted,
        coalesce(sum(duplicates), 0)::int as duplicates, min(delivered_at) as delivered_at,
        max(ingested_at) as ingested_at
      from relay.delivery_batches
      -- Nearly all deliveries have one batch, for which nothing is to be looked up.
      where delivery_id = d.id and d.batches is distinct from 1
    ) later
  ) batch
)`;
}

/** The ingested batches of one delivery, as a subquery for `from`, with the columns of `delivery_batches`. */
export function ingestedBatches(deliveryUuid: string): SQL {
  const columns = sql`retried, inserted, duplicates, ingest_ms, first_event_id, last_event_id, delivered_at, ingested_at, message_id`;
  return sql`(
    select id as delivery_id, 0::smallint as batch_index, ${columns}
    from relay.deliveries
    where id = ${deliveryUuid} and ingested_at is not null
    union all
    select delivery_id, batch_index, ${columns} from relay.delivery_batches where delivery_id = ${deliveryUuid}
  )`;
}
