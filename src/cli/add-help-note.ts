import type { Command } from "commander";

const pipeWidth = 80;

/** Adds sentences below the options of a command's help, as wide as the rest of it. */
export function addHelpNote(command: Command, note: string): Command {
  return command.addHelpText("after", () => {
    const width = command.configureOutput().getOutHelpWidth?.() ?? pipeWidth;
    return `\n${command.createHelp().boxWrap(note, width)}`;
  });
}

/** How wide help is: as the terminal, and readable where there is none. */
export function helpWidth(width: number): number {
  return Number.isFinite(width) ? width : pipeWidth;
}
