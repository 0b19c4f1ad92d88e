import { type Command, InvalidArgumentError } from "commander";

import { allCases } from "#conformance/all-cases.ts";
import { NoAnswer } from "#conformance/exchange.ts";
import { createReceiver, type Receiver } from "#conformance/receiver.ts";
import { type CaseResult, runCases } from "#conformance/run-cases.ts";
import { systemClock } from "#platform/clock.ts";

import { addHelpNote } from "../add-help-note.ts";
import type { CommandContext } from "../command-context.ts";
import { CliFailure } from "#platform/failure.ts";
import { parseUrl } from "#platform/parse-url.ts";
import { drawTable, showCell } from "../table.ts";
import { targetUrl } from "../target-url.ts";

interface Options {
  secret?: string;
  verifyToken?: string;
  only?: string;
  timeout: number;
  patience: number;
  yesThisIsMine?: boolean;
  json?: boolean;
}

/** Adds `relay conform`, which fails if a case of level `must` fails. */
export function addConform(program: Command, context: CommandContext): void {
  const command = program
    .command("conform")
    .argument(
      "<url>",
      "edge, node, or the URL of any receiver; end the URL with / for a receiver at the root of a host",
    )
    .description(`test any receiver of Instagram webhooks with ${allCases.length} cases`)
    .option("--secret <secrets>", "its app secrets, separated by commas (default: INSTAGRAM_APP_SECRET)")
    .option("--verify-token <token>", "its verify token (default: INSTAGRAM_VERIFY_TOKEN)")
    .option("--only <text>", "only cases whose name contains this text, e.g. signature.")
    .option("--timeout <seconds>", "the time limit of one request", seconds, 20)
    .option("--patience <seconds>", "the time after which it must give up a sender that stops halfway", seconds, 30)
    .option("--yes-this-is-mine", "test a receiver on another machine: it gets forged requests and load")
    .option("--json", "print JSON")
    .action(async (to: string, options: Options) => {
      // An origin without a slash means the relay there; with a slash it is the address of a receiver.
      const url = /^https?:\/\/[^/]+\/$/.test(to) && parseUrl(to) ? to : targetUrl(to, context);
      if (!isThisMachine(url) && !options.yesThisIsMine) {
        throw new CliFailure(
          `${new URL(url).host} is not this machine: conform sends forged requests and load. If it is yours, add --yes-this-is-mine.`,
        );
      }
      const cases = allCases.filter(({ id }) => id.includes(options.only ?? ""));
      if (cases.length === 0) throw new CliFailure(`The name of no case contains "${options.only}".`);
      const receiver = createReceiver({
        url,
        secrets: listSecrets(options.secret ?? context.secret("INSTAGRAM_APP_SECRET")),
        verifyToken: options.verifyToken ?? context.secret("INSTAGRAM_VERIFY_TOKEN"),
        limitMs: options.timeout * 1_000,
        patienceMs: options.patience * 1_000,
        clock: systemClock,
      });
      await warmUp(receiver);
      const results = await runCases(cases, receiver, (done) =>
        context.showProgress(`${done} of ${cases.length} cases`),
      );
      context.showProgress("");
      const summary = summarize(results);
      if (options.json) context.print(JSON.stringify({ url, ...summary, cases: results }, null, 2));
      else printResult(url, results, summary, context);
      if (summary.failed > 0) throw new CliFailure(`${url} does not conform: ${summary.failed} cases failed.`);
    });
  addHelpNote(
    command,
    "A fault in a case of level must makes the command fail; a fault in a case of level should is advice.",
  );
}

interface Summary {
  passed: number;
  failed: number;
  advised: number;
}

function summarize(results: readonly CaseResult[]): Summary {
  const count = (outcome: CaseResult["outcome"]) => results.filter((result) => result.outcome === outcome).length;
  return { passed: count("passed"), failed: count("failed"), advised: count("advised") };
}

function printResult(url: string, results: readonly CaseResult[], summary: Summary, context: CommandContext): void {
  const { print, paint } = context;
  const colors = { passed: "green", failed: "red", advised: "yellow" } as const;
  const rows = results.map(({ id, level, outcome, ms, checks }) => [id, level, outcome, ms, checks]);
  print(drawTable(["Case", "Level", "Result", "Ms", "What is checked"], rows, paint, context));
  for (const { id, outcome, reason, why } of results) {
    if (outcome === "passed") continue;
    print(`${paint(colors[outcome], `${outcome} ${id}`)}: ${showCell(reason)}\n  ${paint("dim", why)}`);
  }
  print(`${url}: ${summary.passed} passed, ${summary.failed} failed, ${summary.advised} advised`);
}

/** Sends one request before the cases: it checks that the receiver answers, and takes the time of a cold start. */
async function warmUp(receiver: Receiver): Promise<void> {
  try {
    await receiver.get({});
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw new CliFailure(`${receiver.url} cannot be tested: ${error.message}.`);
  }
}

function isThisMachine(url: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
}

function listSecrets(text: string): string[] {
  const secrets = text
    .split(",")
    .map((secret) => secret.trim())
    .filter((secret) => secret !== "");
  if (secrets.length === 0) throw new CliFailure("The app secret is empty.");
  return secrets;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 600)) throw new InvalidArgumentError("It must be a number above 0, at most 600.");
  return value;
}
