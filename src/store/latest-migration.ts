import journal from "./migrations/meta/_journal.json" with { type: "json" };

/** When the newest migration was written, by which a database's journal names it; milliseconds since the epoch. */
export const latestMigrationMs = Math.max(...journal.entries.map(({ when }) => when));
