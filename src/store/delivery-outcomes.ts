import { type SQL, sql } from "drizzle-orm";

import { deliveries, deliveryBatches } from "./schema.ts";

/**
 * The deliveries with what became of them, as a subquery for `from`: the columns of `deliveries` beside
 *
 * - `became`: the outcome; null while neither a report nor a batch of it is here;
 * - `ingested_batches`, and `expected_batches`, which is null while there is none;
 * - `complete`: whether every batch is ingested;
 * - `inserted`, `duplicates` and `handled_batches`, summed over the ingested batches;
 * - `delivered_at` of the first batch, `ingested_at` and `handled_at` of the last.
 */
export const deliveryOutcomes: SQL = sql`(
  select d.*, b.*,
    case
      -- Everything is here: only the answer to the forward was lost.
      when d.outcome = 'lost' and b.complete then 'fallback'
      -- Without a report, which may be sampled away or still under way, the ingested batches show that it was published.
      else coalesce(d.outcome, case when b.ingested_batches > 0 then 'published' end)
    end as became
  from ${deliveries} d
  cross join lateral (
    select
      count(*) as ingested_batches,
      max(batches) as expected_batches,
      coalesce(count(*) >= max(batches), false) as complete,
      coalesce(sum(inserted), 0) as inserted,
      coalesce(sum(duplicates), 0) as duplicates,
      count(handled_at) as handled_batches,
      min(delivered_at) as delivered_at,
      max(ingested_at) as ingested_at,
      max(handled_at) as handled_at
    from ${deliveryBatches}
    where delivery_id = d.id
  ) b
)`;
