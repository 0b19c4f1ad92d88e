import { type SQL, sql } from "drizzle-orm";

import { deliveries, deliveryBatches } from "./delivery-schema.ts";

/**
 * The deliveries with what became of them, as a subquery for `from`: the columns of `deliveries` beside
 *
 * - `became`: the outcome; null while neither a report nor a batch of it is here;
 * - `ingested_batches`, and `complete`: whether every batch is ingested;
 * - `all_inserted`, `all_duplicates`: summed over the ingested batches;
 * - `first_delivered_at`, `last_ingested_at`: over the ingested batches.
 */
export const deliveryOutcomes: SQL = sql`(
  select d.*, b.*,
    case
      -- Everything is here: only the answer to the forward was lost.
      when d.outcome = 'lost' and b.complete then 'fallback'
      -- Without a report, which may be sampled away or still under way, the first batch tells how it came.
      else coalesce(d.outcome, case when d.via = 'fallback' then 'fallback' when b.ingested_batches > 0 then 'published' end)
    end as became
  from ${deliveries} d
  cross join lateral (
    select
      count(*) + case when d.via is null then 0 else 1 end as ingested_batches,
      coalesce(count(*) + 1 = d.batches, false) as complete,
      coalesce(d.inserted, 0) + coalesce(sum(b.inserted), 0) as all_inserted,
      coalesce(d.duplicates, 0) + coalesce(sum(b.duplicates), 0) as all_duplicates,
      least(d.delivered_at, min(b.delivered_at)) as first_delivered_at,
      greatest(d.ingested_at, max(b.ingested_at)) as last_ingested_at
    from ${deliveryBatches} b
    where b.delivery_id = d.id
  ) b
)`;
