import { writeFileSync } from "node:fs";
import { resolve } from "node:path";

import type { Command } from "commander";

import type { DeadLetterGroup, DeadLetterGroupPage } from "#dashboard/repair/read-dead-letter-groups.ts";
import type { DeadLetterPage } from "#dashboard/repair/read-dead-letters.ts";
import type { LetterBody } from "#operations/letter-body.ts";
import { CliFailure } from "#platform/failure.ts";
import { groupStates } from "#store/dead-letters/dead-letter-groups.ts";

import { jsonOption, linkTo, printList } from "../add-list-command.ts";
import type { CommandContext } from "../command-context.ts";
import { toDeliveryBody } from "../dead-letter-payload.ts";
import { choice, pageOptions } from "../list-options.ts";
import { askOps, readOps } from "../read-ops.ts";
import { type Cell, drawTable, showCell } from "../table.ts";
import { alignRows } from "../terminal.ts";

/** As the groups have them. */
const deadLetterCauses = ["qstash", "undecodable", "handler", "too-large"];

interface Options {
  state?: string;
  cause?: string;
  acknowledge?: boolean;
  resolve?: boolean;
  open?: boolean;
  ignoreUntil?: string;
  note?: string;
  deployment?: string;
  letter?: string;
  save?: string;
  limit?: string;
  cursor?: string;
  json?: boolean;
}

/** Adds `relay dead-letters`. */
export function addDeadLetters(program: Command, context: CommandContext): void {
  program
    .command("dead-letters")
    .argument("[group]", "the id of a group: shows it with its members")
    .description("list what was given up, grouped by cause; show a group, decide about it, save a member")
    .addOption(choice("--state <state>", "only groups of this state", groupStates))
    .addOption(choice("--cause <cause>", "only this cause", deadLetterCauses))
    .option("--acknowledge", "note that the group is being looked at")
    .option("--resolve", "note that the cause is gone; if it recurs, the group is open again")
    .option("--open", "take the last decision back")
    .option("--ignore-until <time>", "ignore the group until then, e.g. 2027-01-31T12:00:00Z")
    .option("--note <text>", "a note about the decision")
    .option("--deployment <id>", "with --resolve: the deployment that mends the cause")
    .option("--letter <id>", "with --save: the member, by its id; the newest one unless given")
    .option("--save <file>", "save a member to a file that relay trigger can send")
    .addOption(pageOptions[0])
    .addOption(pageOptions[1])
    .addOption(jsonOption)
    .action(async (group: string | undefined, options: Options) => {
      requireFitting(group, options);
      if (group === undefined) return list(options, context);
      if (options.save !== undefined) return save(group, options.save, options, context);
      const change = changeOf(options);
      if (change === null) return show(group, options, context);
      const changed = await askOps<DeadLetterGroup>(
        context,
        "POST",
        `dead-letters/${encodeURIComponent(group)}/state`,
        { body: change },
      );
      context.print(options.json ? JSON.stringify(changed, null, 2) : `Group ${changed.id} is ${changed.state}.`);
    });
}

/** An option that is ignored would leave the operator in the belief that it took effect. */
function requireFitting(group: string | undefined, options: Options): void {
  const given = Object.keys(options).filter((name) => !["limit", "cursor", "json"].includes(name));
  const isOnly = (...names: string[]) => given.every((name) => names.includes(name));
  if (group === undefined) {
    if (!isOnly("state", "cause")) throw new CliFailure("Give the id of a group, too: relay dead-letters lists them.");
  } else if (given.some((name) => name === "state" || name === "cause")) {
    throw new CliFailure("--state and --cause are for the list of groups.");
  } else if (options.save !== undefined) {
    if (!isOnly("save", "letter")) throw new CliFailure("--save decides nothing: give only --letter with it.");
  } else if (options.letter !== undefined) {
    throw new CliFailure("--letter goes with --save.");
  } else if (given.length > 0 && changeOf(options) === null) {
    throw new CliFailure("--note and --deployment go with --acknowledge, --resolve, --open or --ignore-until.");
  }
}

function changeOf({ acknowledge, resolve: isResolved, open, ignoreUntil, note, deployment }: Options) {
  const states = [
    ...(acknowledge ? ["acknowledged"] : []),
    ...(isResolved ? ["resolved"] : []),
    ...(open ? ["open"] : []),
    ...(ignoreUntil === undefined ? [] : ["ignored"]),
  ];
  if (states.length === 0) return null;
  if (states.length > 1) throw new CliFailure("Give one of --acknowledge, --resolve, --open and --ignore-until.");
  return { state: states[0], until: ignoreUntil, note, deployment };
}

async function list({ state, cause, limit, cursor, json }: Options, context: CommandContext): Promise<void> {
  const items = ({ groups }: DeadLetterGroupPage): DeadLetterGroup[] => groups;
  const shown = { path: "dead-letters", items, empty: "No dead letters.", head: headOf, row: groupRow };
  return printList(context, shown, { state, cause, limit, cursor }, json);
}

/** Only QStash keeps dead letters of its own: with other queues there is nothing to say of that. */
function headOf(groups: readonly DeadLetterGroup[]): string[] {
  const head = ["Group", "State", "Cause", "Error", "Kind", "Open", "All", "Last"];
  return groups.some(({ expiresAt }) => expiresAt !== null) ? [...head, "QStash keeps until"] : head;
}

function groupRow(one: DeadLetterGroup): Cell[] {
  const state = one.regressedAt === null ? one.state : `${one.state} again`;
  const error = [one.errorName, one.errorCode].filter((text) => text !== null).join(" ");
  return [one.id, state, one.cause, error, one.kind, one.open, one.count, one.lastAt, one.expiresAt];
}

async function show(group: string, { limit, cursor, json }: Options, context: CommandContext): Promise<void> {
  const page = await readOps<DeadLetterPage>(context, `dead-letters/${encodeURIComponent(group)}`, { limit, cursor });
  if (json) return context.print(JSON.stringify(page, null, 2));
  const facts = Object.entries(page.group).map(([name, value]) => [name, showCell(value, context.zone)] as const);
  const address = ["page", linkTo(context, `dead-letters/${encodeURIComponent(group)}`)] as const;
  context.print(alignRows([...facts, address], context.paint));
  const head = ["Member", "Recorded", "Event", "Delivery", "Status", "Attempts", "Error", "Resolved by"];
  const rows = page.deadLetters.map((one) => [
    one.id,
    one.recordedAt,
    one.eventId,
    one.deliveryId,
    one.status,
    one.attempts,
    one.errorMessage ?? one.errorName,
    one.resolvedBy,
  ]);
  context.print(drawTable(head, rows, context.paint, context));
  if (page.nextCursor) context.note(`For the next page add --cursor ${page.nextCursor}`);
}

async function save(group: string, file: string, { letter, json }: Options, context: CommandContext): Promise<void> {
  const id =
    letter ?? (await readOps<DeadLetterPage>(context, `dead-letters/${encodeURIComponent(group)}`)).deadLetters[0]?.id;
  const { events } = await readOps<LetterBody>(context, `dead-letters/${encodeURIComponent(group)}/${id}`);
  if (events === null) throw new CliFailure("Its bytes are not kept, or are no batch: nothing is saved.");
  const path = resolve(context.folder, file);
  writeFileSync(path, toDeliveryBody(events), { mode: 0o600 });
  context.print(json ? JSON.stringify({ file: path, events: events.length }, null, 2) : `Saved to ${path}.`);
}
