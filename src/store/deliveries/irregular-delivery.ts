import { sql } from "drizzle-orm";

/**
 * SQL: whether a delivery was not published, or not at the first attempt, or is a probe. A statement with this condition
 * reads the index `deliveries_irregular`.
 */
export const irregularDelivery = sql.raw(
  `(via = 'fallback' or outcome <> 'published' or error_type is not null or probe)`,
);
