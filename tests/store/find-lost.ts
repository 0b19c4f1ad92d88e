/** What decides whether a move has lost something. */
import type { Client } from "pg";

/** Rows of the old tables that are missing or differ in the new ones. */
export async function findLost(client: Client): Promise<unknown[]> {
  const { rows } = await client.query(`
    select 'event' as what, o.key as id from public.events o
      left join relay.events e on e.id = o.id and e.key = o.key and e.data::text = o.data::text
        and e.erased_at is not distinct from o.erased_at
      left join relay.event_keys k on k.event_id = o.id
      where e.id is null or k.hash is null
    union all
    select 'work', o.key from public.events o left join relay.event_work w on w.event_id = o.id
      where (o.handled_at is null and o.erased_at is null) <> (w.event_id is not null)
    union all
    select 'delivery', o.id from public.deliveries o left join relay.deliveries d on d.id = relay_move.delivery_uuid(o.id)
      left join public.delivery_batches b on b.delivery_id = o.id and b.batch_index = 0
      where d.id is null or d.ingested_at is distinct from b.ingested_at or d.inserted is distinct from b.inserted
        or d.handled_at is distinct from b.handled_at or d.reported_at is distinct from o.reported_at
    union all
    select 'link', l.delivery_id from public.delivery_events l join public.events o on o.id = l.event_id
      left join relay.deliveries d on d.id = relay_move.delivery_uuid(l.delivery_id)
      left join relay.duplicate_events x on x.event_id = l.event_id and x.delivery_id = d.id
      where case when o.delivery_id = l.delivery_id then l.event_id not between d.first_event_id and d.last_event_id
        else x.event_id is null end`);
  return rows;
}
