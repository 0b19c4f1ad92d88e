import { type Command, Option } from "commander";

import type { AuditItem, AuditPage } from "#dashboard/access/read-audit.ts";
import { auditActions, auditWays } from "#store/operators/audit.ts";

import { addListCommand } from "../add-list-command.ts";
import type { CommandContext } from "../command-context.ts";
import { choice, timeOption } from "../list-options.ts";

/** Adds `relay audit`. */
export function addAudit(program: Command, context: CommandContext): void {
  addListCommand(program, context, {
    name: "audit",
    path: "audit",
    description: "list who changed what, the newest first",
    options: [
      new Option("--actor <name>", "only what this token's holder did"),
      choice("--action <action>", "only this action", auditActions),
      choice("--via <way>", "only what came this way", auditWays),
      new Option("--result <result>", "only what ended so: ok, started, or the code of an error"),
      new Option("--target <id>", "only what was done to this"),
      timeOption("--from <time>", "only what was done at this time or later: 2026-01-31T12:00:00Z, or 2h"),
      timeOption("--to <time>", "only what was done before this time"),
    ],
    items: ({ audit }: AuditPage) => audit,
    empty: "Nothing on this page.",
    head: ["At", "Who", "Via", "Action", "Target", "Result", "Reason", "Filter"],
    row: ({ at, actor, via, action, target, result, reason, filter }: AuditItem) => [
      at,
      actor,
      via,
      action,
      target,
      result,
      reason,
      filter === null ? null : JSON.stringify(filter),
    ],
  });
}
