import type { Command } from "commander";

/** A command as a shell completes it. */
export interface DescribedCommand {
  name: string;
  description: string;
  /** The words that its first argument may be; empty if it may be any. */
  words: readonly string[];
  options: readonly DescribedOption[];
}

export interface DescribedOption {
  /** `--kind`, and `-f` where there is a short one. */
  names: readonly string[];
  description: string;
  takesValue: boolean;
  /** Empty if it takes none, or any. */
  values: readonly string[];
}

/** The commands of a program by their own definitions, each with the program's options. */
export function describeCommands(program: Command): DescribedCommand[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    words: command.registeredArguments[0]?.argChoices ?? [],
    options: [...command.options, ...program.options].map((option) => ({
      names: [option.long, option.short].filter((name) => name !== undefined && name !== null),
      description: option.description,
      takesValue: option.required || option.optional,
      values: option.argChoices ?? [],
    })),
  }));
}
