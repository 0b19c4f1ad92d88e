import { createInterface } from "node:readline/promises";

import type { CommandContext } from "./command-context.ts";

/** Asks a person whether to start what was planned; false where there is no terminal to ask on. */
export async function askToStart({ isTerminal }: CommandContext): Promise<boolean> {
  if (!isTerminal) return false;
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await asking.question("Start it? [y/N] ")).trim());
  } finally {
    asking.close();
  }
}
