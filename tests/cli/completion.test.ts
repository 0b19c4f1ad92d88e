import { execFileSync, spawnSync } from "node:child_process";

import { expect, test } from "vitest";

import { createCommandContext } from "#cli/command-context.ts";
import { bashCompletion } from "#cli/completion/bash-completion.ts";
import { describeCommands } from "#cli/completion/described-command.ts";
import { fishCompletion } from "#cli/completion/fish-completion.ts";
import { zshCompletion } from "#cli/completion/zsh-completion.ts";
import { createProgram } from "#cli/create-program.ts";

const commands = describeCommands(createProgram(createCommandContext()));
const has = (shell: string) => spawnSync(shell, ["-c", "true"]).status === 0;
/** The words in their order, the last of them under the cursor. */
const cases: [line: string[], expected: string[]][] = [
  [["relay", "dea"], ["dead-letters"]],
  [["relay", "events", "--kind", "comm"], ["comment"]],
  [["relay", "events", "--fol"], ["--follow"]],
  [
    ["relay", "deliveries", "--outcome", ""],
    ["published", "fallback", "lost", "refused"],
  ],
  [["relay", "replay", "can"], ["cancel"]],
  [["npx", "relay", "dead-letters", "--state", "res"], ["resolved"]],
  [["npx", "relay", "comp"], ["completion"]],
];

test.runIf(has("bash"))("bash completes commands, options and values, after relay and after npx relay", () => {
  const asked = cases.map(([line]) => {
    const complete = line[0] === "npx" ? "__relay_npx" : "__relay";
    const words = line.map((word) => `'${word}'`).join(" ");
    return `COMP_WORDS=(${words}); COMP_CWORD=${line.length - 1}; ${complete}; echo "\${COMPREPLY[*]}"`;
  });
  const script = [bashCompletion(commands), ...asked, "complete -p relay npx"].join("\n");
  const lines = execFileSync("bash", ["--norc", "-c", script], { encoding: "utf8" }).trimEnd().split("\n");
  expect(lines.slice(0, cases.length)).toEqual(cases.map(([, expected]) => expected.join(" ")));
  expect(lines.slice(cases.length)).toEqual([expect.stringContaining("__relay relay"), expect.stringContaining("npx")]);
});

test.runIf(has("zsh"))("zsh reads the script", () => {
  const script = `autoload -U compinit && compinit -D -u\n${zshCompletion(commands)}\necho $_comps[relay]`;
  expect(execFileSync("zsh", ["-f", "-c", script], { encoding: "utf8" }).trim()).toBe("_relay");
});

test.runIf(has("fish"))("fish completes commands, options and values", () => {
  for (const [line, expected] of cases) {
    const script = `${fishCompletion(commands)}\ncomplete -C '${line.join(" ")}'`;
    const found = execFileSync("fish", ["--no-config", "-c", script], { encoding: "utf8" }).trim().split("\n");
    expect(new Set(found.map((one) => one.split("\t")[0]))).toEqual(new Set(expected));
  }
});

test("the three scripts have every command, with its options and their values", () => {
  for (const script of [bashCompletion(commands), zshCompletion(commands), fishCompletion(commands)]) {
    for (const { name } of commands) expect(script).toContain(name);
    expect(script).toContain("live_comment mention story_insights unknown");
  }
});
