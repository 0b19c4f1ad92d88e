import type { Command } from "commander";

import type { CommandContext } from "../command-context.ts";
import { migrateDatabase } from "../migrate-database.ts";

/** Adds `relay migrate`. */
export function addMigrate(program: Command, context: CommandContext): void {
  program
    .command("migrate")
    .description("bring the database's schema up to date")
    .option("--json", "print JSON")
    .action(async ({ json }: { json?: boolean }) => {
      await migrateDatabase(context.databaseUrl(), new AbortController().signal);
      context.print(json ? JSON.stringify({ migrated: true }) : "The database's schema is up to date.");
    });
}
