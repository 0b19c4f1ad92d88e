import { CliFailure } from "#platform/failure.ts";

import { type GeneratedName, isGenerated } from "./deployment-variables.ts";

/** The steps in which a list is changed, so that no deployment signs with what another one does not accept. */
export const rotationSteps = ["accept", "sign", "drop"] as const;

export type RotationStep = (typeof rotationSteps)[number];

export interface Rotation {
  value: string;
  /** What to do with it and after it, in order. */
  steps: string[];
}

export interface RotateOptions {
  name: string;
  /** What is set now; undefined if that is not known here. */
  present: string | undefined;
  /** Only of a list; without it a new value is put first and the present ones stay behind it. */
  step: RotationStep | undefined;
  generate: () => string;
}

/**
 * The next value of a variable. Throws a `CliFailure` for a variable that another party gives out, for a step of what is
 * no list or not as long as the step needs, and where a list's present value is not known.
 */
export function rotateSecret({ name, present, step, generate }: RotateOptions): Rotation {
  if (!isGenerated(name)) {
    throw new CliFailure(
      `${name} is not generated here: docs/OPERATIONS.md, Rotating secrets, says how each secret is rotated.`,
    );
  }
  if (name === "RELAY_SECRET") return rotateList(present, step, generate);
  if (step !== undefined) throw new CliFailure(`${name} is one value, so its rotation has no steps: leave out --step.`);
  return { value: generate(), steps: ["Set it and deploy: a variable takes effect with a deployment.", after[name]] };
}

const after: Record<Exclude<GeneratedName, "RELAY_SECRET">, string> = {
  INSTAGRAM_VERIFY_TOKEN: "Meta reads it only when you save the callback URL: enter the new one then.",
  OPS_TOKEN:
    "Sign in again: sessions and sign-in links of the old one end. Programs with it need the new one. OPS_TOKENS gives each of them a token of its own.",
  CRON_SECRET: "Vercel's cron sends the new one by itself. Other callers of /api/cron/maintenance need it.",
};

function rotateList(present: string | undefined, step: RotationStep | undefined, generate: () => string): Rotation {
  const items = (present ?? "").split(",").flatMap((item) => item.trim() || []);
  const [first, second, ...others] = items;
  if (first === undefined) {
    throw new CliFailure(
      "The present RELAY_SECRET is needed, because it stays accepted during the rotation: set it in the environment, or name the file that has it with --file.",
    );
  }
  if (step === undefined) return { value: [generate(), ...items].join(), steps: stepsAtOnce };
  if (step === "accept") return { value: [...items, generate()].join(), steps: stepsAfter.accept };
  if (second === undefined) {
    throw new CliFailure(`RELAY_SECRET is one value, and --step ${step} needs two: begin with --step accept.`);
  }
  const value = step === "sign" ? [second, first, ...others].join() : first;
  return { value, steps: stepsAfter[step] };
}

const stepsAtOnce = [
  "Set it and deploy: the new one signs, both are accepted. This suits one deployment that replaces another at once. Where several serve at a time, as replicas or in a rolling release, rotate by --step accept, sign and drop, each with a deployment.",
  "When the deployment before has served its last request, set what --step drop makes of it and deploy.",
];

const stepsAfter: Record<RotationStep, string[]> = {
  accept: [
    "Set it and deploy everywhere: the old one signs, both are accepted.",
    "Then --step sign, from this value, and deploy: the new one signs.",
    "Then --step drop, and deploy: the old one is no longer accepted.",
  ],
  sign: [
    "Set it and deploy everywhere: the new one signs, both are accepted.",
    "Then --step drop, from this value, and deploy.",
  ],
  drop: ["Set it and deploy: the old one is no longer accepted."],
};
