import { sql } from "drizzle-orm";

/** SQL: whether a delivery is not ingested or not kept. A statement with this condition reads the index `deliveries_unfinished`. */
export const unfinishedDelivery = sql.raw(`(ingested_at is null or outcome in ('lost', 'refused'))`);
