import type { DescribedCommand, DescribedOption } from "./described-command.ts";

/** For fish 3 and newer. */
export function fishCompletion(commands: readonly DescribedCommand[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  const lines = commands.flatMap(({ name, description, words, options }) => [
    ...rule(`__relay_needs_command`, `-a ${name}`, description),
    ...(words.length === 0 ? [] : rule(`__relay_has ${name}`, `-a '${words.join(" ")}'`)),
    ...options.flatMap((option) => rule(`__relay_has ${name}`, optionArguments(option), option.description)),
  ]);
  return `# Completion of relay for fish: npx relay completion fish | source
set -g __relay_commands ${names}
function __relay_tokens
  set -l tokens (commandline -opc)
  if test "$tokens[1]" = npx
    set -e tokens[1]
  end
  string join \\n -- $tokens
end
function __relay_needs_command
  set -l tokens (__relay_tokens)
  test "$tokens[1]" = relay; and test (count $tokens) -eq 1
end
function __relay_has
  set -l tokens (__relay_tokens)
  test "$tokens[1]" = relay; and test "$tokens[2]" = "$argv[1]"
end
complete -c relay -f -n __relay_needs_command
${lines.join("\n")}`;
}

/** The same after `relay` and after `npx relay`. */
function rule(condition: string, what: string, description?: string): string[] {
  const about = description === undefined ? "" : ` -d '${description.replaceAll("'", "’")}'`;
  return ["relay", "npx"].map((program) => `complete -c ${program} -n '${condition}' ${what}${about}`);
}

function optionArguments({ names, takesValue, values }: DescribedOption): string {
  const named = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(" ");
  if (!takesValue) return named;
  return values.length === 0 ? `${named} -r` : `${named} -x -a '${values.join(" ")}'`;
}
