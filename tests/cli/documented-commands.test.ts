import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { createCommandContext } from "#cli/command-context.ts";
import { createProgram } from "#cli/create-program.ts";

import { scenarios } from "../chaos/scenarios.ts";
import { root } from "./start-process.ts";

interface Mention {
  file: string;
  script: string;
  args: string[];
}

const read = (file: string) => readFileSync(join(root, file), "utf8");
const below = (folder: string, kind: RegExp) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => kind.test(name))
    .map((name) => join(folder, name));

const documents = ["README.md", ...below("docs", /\.md$/)];
const sources = [...below("src", /\.tsx?$/), ...below("app", /\.tsx?$/)];
const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
const program = createProgram(createCommandContext());

function mentionsIn(files: readonly string[]): Mention[] {
  return files.flatMap((file) =>
    [
      ...read(file)
        .replace(/\\\n\s*/g, "")
        .replaceAll("npx relay ", "npm run relay -- ")
        // The alias of docs/DEPLOY.md.
        .replaceAll(/^ *deployed (?=[a-z])/gm, "npm run relay -- ")
        .matchAll(/\bnpm (?:run )?([a-z:]+)(?: -- ([^`\n#|<"]*))?/g),
    ]
      .filter(([text, script]) => text.startsWith("npm run") || script === "start" || script === "test")
      .map(([, script = "", args = ""]) => ({ file, script, args: args.split(/\s+/).filter((arg) => arg !== "") })),
  );
}

/** The faults of `npm run chaos`, which its usage makes of this list. */
const faults = new Set(scenarios.map(({ name }) => name));

/** The options that a script takes, as its usage names them. */
function usageOf(script: string): string {
  const isServer = script === "qstash";
  const folder = script === "lifecycle" ? "lifecycle-proof" : script;
  if (script === "start" || script === "dev") return read("src/cli/run-servers.ts");
  return read(isServer ? `src/cli/${script}.ts` : `tests/${folder}/${script}.ts`);
}

function problemOf({ script, args }: Mention): string | null {
  if (scripts[script] === undefined) return `there is no script ${script}`;
  if (args.length === 0) return null;
  // The arguments after the file are vitest's.
  if (script === "test") return existsSync(join(root, args[0] ?? "")) ? null : `there is no test ${args[0]}`;
  if (!scripts[script].includes("bootstrap.mjs")) return null;
  const flags = args.filter((arg) => /^--[a-z]/.test(arg));
  if (script === "relay") {
    const command = program.commands.find((one) => one.name() === args[0]);
    if (command === undefined) return `relay has no command ${args[0]}`;
    const known = new Set(command.options.map(({ long }) => long));
    return flags.every((flag) => known.has(flag)) ? null : `relay ${args[0]} has not all of ${flags.join(" ")}`;
  }
  const usage = usageOf(script);
  if (script === "chaos") {
    const asked = (args[args.indexOf("--only") + 1] ?? "").split(",");
    const unknown = args.includes("--only") ? asked.find((name) => name !== "" && !faults.has(name)) : undefined;
    return unknown === undefined ? null : `no fault ${unknown}`;
  }
  const only = args[args.indexOf("--only") + 1] ?? "";
  if (args.includes("--only") && !new RegExp(`^ +${only} {2,}`, "m").test(usage)) return `no section ${only}`;
  return flags.every((flag) => usage.includes(flag)) ? null : `${script} has not all of ${flags.join(" ")}`;
}

test("every command that the documents name exists, with its options", () => {
  const mentions = mentionsIn(documents);
  expect(mentions.length).toBeGreaterThan(30);
  expect(mentions.map((mention) => ({ ...mention, problem: problemOf(mention) })).filter((m) => m.problem)).toEqual([]);
});

test("docs/CLI.md has every command", () => {
  const text = read("docs/CLI.md");
  expect(program.commands.map((one) => one.name()).filter((name) => !text.includes(`**${name}**`))).toEqual([]);
});

test("every command that the product itself names exists", () => {
  const mentions = mentionsIn(sources).map(({ args, ...mention }) => ({ ...mention, args: args.slice(0, 1) }));
  expect(mentions.length).toBeGreaterThan(10);
  const missing = mentions.filter(({ script, args: [command] }) => {
    if (scripts[script] === undefined) return true;
    const word = command?.replace(/[^a-z-].*$/, "") ?? "";
    return script === "relay" && /^[a-z]/.test(word) && !program.commands.some((one) => one.name() === word);
  });
  expect(missing).toEqual([]);
});
