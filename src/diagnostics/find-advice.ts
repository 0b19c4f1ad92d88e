import type { Advice } from "./check.ts";

/** Advice for errors whose code or words match. */
export interface AdviceRule extends Advice {
  when: RegExp;
}

/** The first rule that matches the error's code or words; `otherwise` if none does. */
export function findAdvice<Rule extends AdviceRule, Otherwise>(
  rules: readonly Rule[],
  words: string,
  otherwise: Otherwise,
): Rule | Otherwise {
  return rules.find(({ when }) => when.test(words)) ?? otherwise;
}
