import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { createSignInLink } from "#dashboard/access/ops-session.ts";
import { systemClock } from "#platform/clock.ts";

import { CliFailure } from "#platform/failure.ts";
import type { CommandContext } from "../command-context.ts";

/** Adds `relay sign-in`. */
export function addSignIn(program: Command, context: CommandContext): void {
  program
    .command("sign-in")
    .description("print a link that signs in to the dashboard once, within twelve hours; only on a terminal")
    .option("--json", "print JSON")
    .action(async ({ json }: { json?: boolean }) => {
      if (!context.isTerminal) {
        throw new CliFailure(
          "The link lets everyone in who has it, so it is not written into a pipe or file: run this in a terminal.",
        );
      }
      const opsToken = context.secret("OPS_TOKEN");
      const key = { opsToken, nowMs: systemClock.nowMs(), id: randomUUID() };
      const link = await createSignInLink({ baseUrl: context.baseUrl(), ...key });
      context.print(json ? JSON.stringify({ link }) : link);
    });
}
