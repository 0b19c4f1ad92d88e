import { Argument, type Command } from "commander";

import type { CommandContext } from "../command-context.ts";
import { bashCompletion } from "../completion/bash-completion.ts";
import { describeCommands } from "../completion/described-command.ts";
import { fishCompletion } from "../completion/fish-completion.ts";
import { zshCompletion } from "../completion/zsh-completion.ts";

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** Adds `relay completion`. */
export function addCompletion(program: Command, context: CommandContext): void {
  program
    .command("completion")
    .addArgument(new Argument("<shell>", "the shell to complete in").choices(Object.keys(shells)))
    .description("print a script that completes commands, options and their values, after relay and after npx relay")
    .option("--json", "print the commands, options and values that it completes")
    .addHelpText(
      "after",
      `
bash  eval "$(npx relay completion bash)"       in ~/.bashrc
zsh   source <(npx relay completion zsh)         in ~/.zshrc, after compinit
fish  npx relay completion fish | source         in ~/.config/fish/config.fish`,
    )
    .action((shell: keyof typeof shells, { json }: { json?: boolean }) => {
      const commands = describeCommands(program);
      context.print(json ? JSON.stringify(commands, null, 2) : shells[shell](commands));
    });
}
