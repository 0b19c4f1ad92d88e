import { Argument, type Command, Option } from "commander";

import { alertRules } from "#operations/alerts/alert-rules.ts";
import type { AlertsStatus, RuleStatus } from "#operations/alerts/read-alerts.ts";
import type { TestResult } from "#operations/alerts/send-test.ts";
import { systemClock } from "#platform/clock.ts";
import { CliFailure } from "#platform/failure.ts";

import { jsonOption, noteLink } from "../add-list-command.ts";
import type { CommandContext } from "../command-context.ts";
import { choice, instantOf } from "../list-options.ts";
import { askOps, readOps } from "../read-ops.ts";
import { type Cell, drawTable, showCell } from "../table.ts";

interface Options {
  rule?: string;
  scope?: string;
  for?: string;
  json?: boolean;
}

type Action = "list" | "acknowledge" | "mute" | "unmute" | "test";

/** Adds `relay alerts`. */
export function addAlerts(program: Command, context: CommandContext): void {
  const rules = alertRules.map(({ name }) => name);
  program
    .command("alerts")
    .addArgument(
      new Argument("[action]", "list, decide about a rule, or send a test")
        .choices(["list", "acknowledge", "mute", "unmute", "test"])
        .default("list"),
    )
    .description("list the rules of the alerts with their states; acknowledge or mute one; send a test")
    .addOption(choice("--rule <rule>", "the rule that is decided about", rules))
    .addOption(
      new Option("--scope <scope>", "one group of dead letters, or one kind of event, instead of the whole rule"),
    )
    .addOption(new Option("--for <time>", "with mute: for so long, e.g. 90m, 12h or 7d"))
    .addOption(jsonOption)
    .action(async (action: Action, options: Options) => {
      requireFitting(action, options);
      if (action === "list") return list(options, context);
      if (action === "test") return sendTest(options, context);
      return decide(action, options, context);
    });
}

/** An option that is ignored would leave the operator in the belief that it took effect. */
function requireFitting(action: Action, options: Options): void {
  const isDecision = action !== "list" && action !== "test";
  if (isDecision && options.rule === undefined) throw new CliFailure(`relay alerts ${action} needs --rule.`);
  if (!isDecision && (options.rule ?? options.scope) !== undefined) {
    throw new CliFailure(`--rule and --scope are for a decision, not for ${action}.`);
  }
  if (action === "mute" && options.for === undefined)
    throw new CliFailure("relay alerts mute needs --for, e.g. --for 12h.");
  if (action !== "mute" && options.for !== undefined) throw new CliFailure(`--for is for mute, not for ${action}.`);
}

async function list({ json }: Options, context: CommandContext): Promise<void> {
  const status = await readOps<AlertsStatus>(context, "alerts");
  if (json) return context.print(JSON.stringify(status, null, 2));
  context.print(drawTable(head, status.rules.flatMap(toRows), context.paint, context));
  if (status.addresses.length === 0) context.note("Alerts go nowhere: set ALERT_WEBHOOK_URL where the relay runs.");
  if (status.evaluatedAt === null) context.note("Maintenance has not evaluated the rules yet: relay schedule check.");
  noteLink(context, "alerts");
}

const head = ["Rule", "Scope", "State", "Since", "Muted until", "What is known"];

/** One row for a rule, or one for each of its scopes that is not ok. */
function toRows({ rule, scopes, ...own }: RuleStatus): Cell[][] {
  const row = (
    scope: string | null,
    { state, since, mutedUntil, text }: Omit<RuleStatus, "rule" | "scopes">,
  ): Cell[] => [rule, scope, state, since, mutedUntil, text];
  return scopes.length === 0
    ? [row(null, own)]
    : scopes.map(({ scope, ...status }) => row(scope, { ...own, ...status }));
}

async function decide(
  action: Exclude<Action, "list" | "test">,
  options: Options,
  context: CommandContext,
): Promise<void> {
  const { rule = "", scope, json } = options;
  const until = options.for === undefined ? {} : { until: afterNow(options.for) };
  const body = { ...(scope === undefined ? {} : { scope }), ...until };
  const decided = await askOps<{ scopes: string[] }>(context, "POST", `alerts/${rule}/${action}`, { body });
  if (json) return context.print(JSON.stringify(decided, null, 2));
  const done = {
    acknowledge: "acknowledged",
    mute: `muted until ${showCell(until.until, context.zone)}`,
    unmute: "not muted",
  };
  context.print(`${rule} is ${done[action]}.`);
}

/** The same words as for a time in the past. */
function afterNow(duration: string): string {
  const nowMs = systemClock.nowMs();
  if (!/^\d+[smhd]$/.test(duration)) throw new CliFailure(`--for takes 90m, 12h or 7d, not "${duration}".`);
  return new Date(2 * nowMs - Date.parse(instantOf(duration, nowMs))).toISOString();
}

async function sendTest({ json }: Options, context: CommandContext): Promise<void> {
  const { results } = await askOps<{ results: TestResult[] }>(context, "POST", "alerts/test", { body: {} });
  if (json) context.print(JSON.stringify({ results }, null, 2));
  else if (results.length > 0) {
    const rows = results.map(({ address, isSent, result }) => [address, isSent ? "sent" : "failed", result]);
    context.print(drawTable(["Address", "State", "Answer"], rows, context.paint, context));
  }
  if (results.length === 0) throw new CliFailure("No address is set: set ALERT_WEBHOOK_URL where the relay runs.");
  if (results.some(({ isSent }) => !isSent)) throw new CliFailure("Not every address took the test.");
}
