import { Command, Option } from "commander";

import { addHelpNote, helpWidth } from "./add-help-note.ts";
import { addAlerts } from "./commands/alerts.ts";
import { addAudit } from "./commands/audit.ts";
import { addBackfill } from "./commands/backfill.ts";
import { addCompletion } from "./commands/completion.ts";
import { addConform } from "./commands/conform.ts";
import { addDeadLetters } from "./commands/dead-letters.ts";
import { addDeliveries } from "./commands/deliveries.ts";
import { addDelivery } from "./commands/delivery.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addDrift } from "./commands/drift.ts";
import { addEvents } from "./commands/events.ts";
import { addExplain } from "./commands/explain.ts";
import { addFind } from "./commands/find.ts";
import { addHandlers } from "./commands/handlers.ts";
import { addListen } from "./commands/listen.ts";
import { addMigrate } from "./commands/migrate.ts";
import { addPause } from "./commands/pause.ts";
import { addProbe } from "./commands/probe.ts";
import { addReplay } from "./commands/replay.ts";
import { addSchedule } from "./commands/schedule.ts";
import { addSecrets } from "./commands/secrets.ts";
import { addSignIn } from "./commands/sign-in.ts";
import { addStatus } from "./commands/status.ts";
import { addTrigger } from "./commands/trigger.ts";
import type { CommandContext } from "./command-context.ts";
import { requireZone } from "./in-zone.ts";

const footer =
  "Run it in the project as npx relay <command>, or as npm run relay -- <command>. The address of the relay and its secrets are " +
  "taken from the environment (RELAY_URL, INSTAGRAM_APP_SECRET, OPS_TOKEN, DATABASE_URL), otherwise from npm start on this " +
  "machine (DATA_DIR, .data). Every command takes --json. Exit status: 0 if everything succeeded, 1 if something failed, 130 " +
  "after Ctrl-C; of relay status 2 if something needs attention and 3 if something is lost or failing.";

/** All commands with their options. */
export function createProgram(context: CommandContext): Command {
  const program = new Command("relay")
    .usage("<command> [options]")
    .description(
      "Sends deliveries to an Instagram Webhook Relay, shows what it stored, repairs what failed, and checks its configuration.",
    )
    .addOption(new Option("--zone <zone>", "show times in this time zone, e.g. Europe/Berlin").default("UTC"))
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: 20 })
    .configureOutput({ getOutHelpWidth: () => helpWidth(context.width) })
    .hook("preAction", (_, command) => {
      context.zone = requireZone(command.optsWithGlobals<{ zone: string }>().zone);
    })
    .exitOverride()
    .helpCommand(false)
    .showHelpAfterError("(relay --help lists the commands)");
  addHelpNote(program, footer);
  for (const add of [
    addStatus,
    addFind,
    addDeliveries,
    addDelivery,
    addEvents,
    addHandlers,
    addDeadLetters,
    addReplay,
    addBackfill,
    addPause,
    addAlerts,
    addAudit,
    addTrigger,
    addListen,
    addProbe,
    addDrift,
    addConform,
    addExplain,
    addSchedule,
    addSecrets,
    addMigrate,
    addDoctor,
    addSignIn,
    addCompletion,
  ])
    add(program, context);
  return program;
}
