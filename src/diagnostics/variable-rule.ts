import type { EnvRecord } from "#platform/env.ts";

import type { Advice } from "./check.ts";

/** A mistake in the value of a variable that can be recognised without a request. */
export interface VariableRule extends Advice {
  /** The variables to which it applies; by default all. */
  of?: readonly string[];
  status: "warning" | "failed";
  detail: string;
  /** Whether the value, as it was set, has this mistake. */
  matches: (value: string, record: EnvRecord, name: string) => boolean;
}

/** The items of a list in a variable: separated by commas, without white space around them, none empty. */
export function itemsOf(value: string): string[] {
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** Mistakes of copying, which every variable can have. */
export const shapeRules: readonly VariableRule[] = [
  {
    status: "failed",
    detail: "set to a whole line of an .env file",
    cause: "The value begins with the variable's own name and an equals sign.",
    remedy: "Set only what follows the equals sign.",
    matches: (value, _, name) => value.trim().startsWith(`${name}=`),
  },
  {
    status: "failed",
    detail: "set, in quotes",
    cause: "Quotes in an .env file are removed when it is read; in a form like Vercel's they become part of the value.",
    remedy: "Set it again without the quotes.",
    matches: (value) => /^(["'`]).*\1$/s.test(value.trim()),
  },
  {
    status: "warning",
    detail: "set, with white space around it",
    cause:
      "It was pasted with a space or a line break. The relay removes it; the SDK and other programs send it, and QStash answers 401.",
    remedy: "Set it again without the white space.",
    matches: (value) => value !== value.trim(),
  },
  {
    of: ["INSTAGRAM_APP_SECRET", "RELAY_URL", "RELAY_SECRET"],
    status: "warning",
    detail: "set, with an empty item in the list",
    cause: "There is a comma too many, or an item is missing.",
    remedy: "Remove the comma, or add the missing item.",
    matches: (value) => value.split(",").some((item) => item.trim() === ""),
  },
];
