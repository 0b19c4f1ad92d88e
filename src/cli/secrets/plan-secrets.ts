import { isReadable, readQueue } from "#diagnostics/diagnose-env.ts";
import { type EnvName, type EnvRecord, otherQueuesVariables, variables } from "#platform/env.ts";

import { foreignVariables, isGenerated } from "./deployment-variables.ts";

/** The variables of a deployment, each in one of four lists. */
export interface SecretsPlan {
  /** To be set: of the file, and new ones. In the order of the README's table. */
  values: [name: string, value: string][];
  /** Which of these are new. */
  created: string[];
  /** Set in the environment or an `.env` file already, so that neither a new value nor the present one is printed. */
  kept: string[];
  /** What another party gives out and is set nowhere, with the place where it is found. */
  elsewhere: { name: string; where: string }[];
  /** Set, but not in the form that the relay accepts. */
  malformed: string[];
  /** In the file, but not read by the relay. */
  unknown: string[];
}

export interface PlanOptions {
  /** A variable of the environment, or of the `.env` files; undefined if it is absent or blank. */
  variable: (name: string) => string | undefined;
  /** What the file of values holds; empty without one. */
  file: EnvRecord;
  /** Makes a new value. */
  generate: () => string;
}

/** Says what is to be generated, set, kept and fetched. The file's values go before those of the environment. */
export function planSecrets({ variable, file, generate }: PlanOptions): SecretsPlan {
  const unknown = Object.keys(file).filter((name) => !(name in variables));
  const plan: SecretsPlan = { values: [], created: [], kept: [], elsewhere: [], malformed: [], unknown };
  const ofOtherQueues = otherQueuesVariables(readQueue({ QUEUE: file["QUEUE"]?.trim() || variable("QUEUE") }));
  for (const name of Object.keys(variables) as EnvName[]) {
    const stored = file[name]?.trim();
    const present = stored || variable(name);
    if (stored) plan.values.push([name, stored]);
    else if (present !== undefined) {
      if (isNeeded(name)) plan.kept.push(name);
    } else if (isGenerated(name)) {
      plan.values.push([name, generate()]);
      plan.created.push(name);
    } else if (isForeign(name) && !ofOtherQueues.has(name))
      plan.elsewhere.push({ name, where: foreignVariables[name] });
    if (present !== undefined && !isReadable({ [name]: present }, name)) plan.malformed.push(name);
  }
  return plan;
}

function isForeign(name: EnvName): name is keyof typeof foreignVariables {
  return name in foreignVariables;
}

function isNeeded(name: EnvName): boolean {
  return isForeign(name) || isGenerated(name);
}
