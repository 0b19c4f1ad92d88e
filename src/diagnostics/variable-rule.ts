import type { EnvRecord } from "#platform/env.ts";

import type { Advice } from "./check.ts";

/** A mistake that a variable can have although it is set, as far as it can be told without asking anybody. */
export interface VariableRule extends Advice {
  /** The variables it is about; without it, any. */
  of?: readonly string[];
  status: "warning" | "failed";
  detail: string;
  /** Whether the value, as it was set, has it. */
  matches: (value: string, record: EnvRecord, name: string) => boolean;
}

/** The items of a variable that may be a list. */
export function itemsOf(value: string): string[] {
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** What can go wrong while a value is copied; the same for every variable. */
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
    cause:
      "Files lose their quotes when they are read, a form like Vercel's keeps them: they are part of the value now.",
    remedy: "Set it again without the quotes.",
    matches: (value) => /^(["'`]).*\1$/s.test(value.trim()),
  },
  {
    status: "warning",
    detail: "set, with white space around it",
    cause:
      "It was pasted with a space or a line break. The relay drops it; the SDK and other programs send it, and QStash answers 401.",
    remedy: "Set it again without it.",
    matches: (value) => value !== value.trim(),
  },
  {
    of: ["INSTAGRAM_APP_SECRET", "RELAY_URL"],
    status: "warning",
    detail: "set, with an empty item in the list",
    cause: "There is a comma too many, or an item got lost.",
    remedy: "Remove the comma, or add what is missing.",
    matches: (value) => value.split(",").some((item) => item.trim() === ""),
  },
];
