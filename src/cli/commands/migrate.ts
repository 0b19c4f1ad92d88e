import type { Command } from "commander";

import { systemClock as clock } from "#platform/clock.ts";

import type { CommandContext } from "../command-context.ts";
import { dropOld, migrateDatabase } from "../migrate-database.ts";
import { showMove } from "../show-move.ts";

/** Adds `relay migrate`. */
export function addMigrate(program: Command, context: CommandContext): void {
  const { note, showProgress } = context;
  program
    .command("migrate")
    .description("bring the database's schema up to date; rows of an earlier release are moved into it")
    .option("--drop-old", "drop the tables of the release before the schema relay, an hour after its last write")
    .option("--json", "print JSON")
    .action(async ({ dropOld: isDropping, json }: { dropOld?: boolean; json?: boolean }) => {
      const databaseUrl = context.databaseUrl();
      if (isDropping) {
        const dropped = await dropOld(databaseUrl);
        const text = dropped ? "The old tables are dropped." : "There are no old tables.";
        context.print(json ? JSON.stringify({ dropped }) : text);
        return;
      }
      await migrateDatabase(databaseUrl, new AbortController().signal, showMove({ clock, note, showProgress }));
      context.print(json ? JSON.stringify({ migrated: true }) : "The database's schema is up to date.");
    });
}
