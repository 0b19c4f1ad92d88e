import { resolve } from "node:path";

import { type Command, InvalidArgumentError, Option } from "commander";

import type { EnvRecord } from "#platform/env.ts";
import { CliFailure } from "#platform/failure.ts";

import { addHelpNote } from "../add-help-note.ts";
import type { CommandContext } from "../command-context.ts";
import { generateSecret } from "../secrets/deployment-variables.ts";
import { formatSecrets, type SecretFormat, secretFormats } from "../secrets/format-secrets.ts";
import { planSecrets, type SecretsPlan } from "../secrets/plan-secrets.ts";
import { rotateSecret, type RotationStep, rotationSteps } from "../secrets/rotate-secret.ts";
import { readSecretsFile, writeSecretsFile } from "../secrets/secrets-file.ts";
import { showCell } from "../table.ts";
import { alignRows } from "../terminal.ts";

interface Options {
  format: SecretFormat;
  file?: string;
  environment: string;
  force?: boolean;
  rotate?: string;
  step?: RotationStep;
  json?: boolean;
}

/** Adds `relay secrets`. Only new values and those of `--file` are printed, and never on a terminal as lines of a shell. */
export function addSecrets(program: Command, context: CommandContext): void {
  const command = program
    .command("secrets")
    .description("generate the secrets of a deployment, print them for Vercel and others, and rotate them")
    .addOption(
      new Option("--format <format>", "how the values are printed; vercel: lines for sh")
        .choices(secretFormats)
        .default("vercel"),
    )
    .option("--file <path>", "keep the values in this .env file, which only you can read; values that it has are used")
    .option("--environment <name>", "Vercel's environment", environment, "production")
    .option("--force", "replace values that Vercel has already")
    .option("--rotate <name>", "make a new value of this variable instead")
    .addOption(
      new Option("--step <step>", "of the rotation of a list, where several deployments serve at a time").choices(
        rotationSteps,
      ),
    )
    .option("--json", "print JSON")
    .action((options: Options) => {
      if (options.step !== undefined && options.rotate === undefined)
        throw new CliFailure("--step is a step of a rotation: name the variable with --rotate.");
      const format = options.json === true ? "json" : options.format;
      const path = options.file === undefined ? null : resolve(context.folder, options.file);
      const file = path === null ? {} : readSecretsFile(path);
      if (options.rotate === undefined) setUp({ ...options, format }, path, file, context);
      else rotate({ ...options, format, rotate: options.rotate }, path, file, context);
    });
  addHelpNote(
    command,
    "npx relay secrets --file .env.deployed | sh sets the values on Vercel: they go through pipes, so that neither the shell's " +
      "history nor the list of processes has them. Values in the environment or in .env files are kept and not printed.",
  );
}

function setUp(options: Options, path: string | null, file: EnvRecord, context: CommandContext): void {
  const plan = planSecrets({ variable: context.variable, file, generate: generateSecret });
  describe(plan, context);
  if (isShownLines(options.format, context)) return explainPipe(context);
  const { values, ...report } = plan;
  const created = values.filter(([name]) => plan.created.includes(name));
  if (created.length > 0 && path === null) context.note(`${keepThem}\n`);
  if (created.length > 0 && path !== null) writeSecretsFile(path, created);
  print(options, values, report, context);
}

const keepThem =
  "The new values are shown nowhere again. INSTAGRAM_VERIFY_TOKEN is entered at Meta, and OPS_TOKEN is the password of the " +
  "dashboard: --file keeps them.";

function rotate(
  options: Options & { rotate: string },
  path: string | null,
  file: EnvRecord,
  context: CommandContext,
): void {
  const { rotate: name, step } = options;
  const present = file[name] ?? context.variable(name);
  const { value, steps } = rotateSecret({ name, present, step, generate: generateSecret });
  if (isShownLines(options.format, context)) return explainPipe(context);
  if (path !== null) writeSecretsFile(path, [[name, value]]);
  context.note(`${steps.map((text, index) => `${index + 1}. ${text}`).join("\n")}\n`);
  print({ ...options, force: true }, [[name, value]], { rotated: name, steps }, context);
}

function print(
  { format, environment: name, force = false }: Options,
  values: readonly (readonly [string, string])[],
  report: object,
  context: CommandContext,
): void {
  if (format === "json") context.print(JSON.stringify({ variables: Object.fromEntries(values), ...report }, null, 2));
  else if (values.length > 0) context.print(formatSecrets(format, values, { environment: name, force }));
}

/** Lines for a shell, on a terminal: there they can only be pasted into one, which keeps them in its history. */
function isShownLines(format: SecretFormat, { isTerminal }: CommandContext): boolean {
  return format === "vercel" && isTerminal;
}

function explainPipe({ print: write }: CommandContext): void {
  write(
    "Nothing is generated yet: a shell keeps what is pasted into it, so the lines are not shown here. Pipe them:\n\n" +
      "  npx relay secrets --file .env.deployed | sh",
  );
}

function describe(plan: SecretsPlan, { note, paintError }: CommandContext): void {
  const { values, created, kept, elsewhere, malformed, unknown } = plan;
  const rows: [string, string[]][] = [
    ["new", created],
    ["of the file", values.flatMap(([name]) => (created.includes(name) ? [] : [name]))],
    ["kept, not printed", kept],
    ["not accepted by the relay", malformed],
    ["not the relay's, left out", unknown],
  ];
  const named = rows.flatMap(([title, names]) =>
    names.length > 0 ? [[title, showCell(names.join(", "))] as const] : [],
  );
  if (named.length > 0) note(`${alignRows(named, paintError)}\n`);
  const places = elsewhere.map(({ name, where }) => [name, where] as const);
  if (places.length > 0) note(`To be fetched elsewhere:\n${alignRows(places, paintError)}\n`);
}

function environment(text: string): string {
  if (!/^[A-Za-z][\w-]{0,63}$/.test(text))
    throw new InvalidArgumentError("It must be production, preview, development or the name of a custom environment.");
  return text;
}
