/** A migrator in a process of its own, to be killed: prints a line after each step. */
import { migrateStore } from "#store/migrate.ts";

const [, , databaseUrl = ""] = process.argv;
await migrateStore(databaseUrl, { onProgress: ({ table, rows }) => void process.stdout.write(`${table} ${rows}\n`) });
