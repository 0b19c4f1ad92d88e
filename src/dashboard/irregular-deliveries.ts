import { sql, type SQL } from "drizzle-orm";

/**
 * The condition of the index `deliveries_irregular`, word for word, or the planner would not use it: deliveries that are
 * not ingested, did not go through the queue at the first attempt, or are probes.
 */
export const isIrregular: SQL = sql`(via is distinct from 'queue' or outcome <> 'published' or error_type is not null or probe)`;
