/** The migrations of the schema `relay` in their order: the files of `migrations/` without `.sql`. */
export const migrationNames = [
  "0008_relay",
  "0009_conversations",
  "0010_measurements",
  "0011_audit",
  "0012_alerts",
  "0013_find",
  "0014_backfill",
  "0015_queue_messages",
  "0016_wrong_tokens",
  "0017_queue_traces",
  "0018_store_functions",
  "0019_region_sums",
  "0020_unresolved_letters",
] as const;
