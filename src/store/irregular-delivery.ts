import { sql } from "drizzle-orm";

/**
 * SQL: whether a delivery took the fallback, had a failed attempt to publish, or is a probe. A statement with this condition
 * reads the index `deliveries_irregular`.
 */
export const irregularDelivery = sql.raw(
  `(via = 'fallback' or outcome = 'fallback' or error_type is not null or probe)`,
);
