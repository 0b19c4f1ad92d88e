import type { AlertRule } from "./alert-rule.ts";
import { pathRules } from "./path-rules.ts";
import { workRules } from "./work-rules.ts";

/** Every rule, in the order in which the page shows them. */
export const alertRules: readonly AlertRule[] = [...pathRules, ...workRules];

/** The rule with this name; undefined for any other text. */
export function findRule(name: string): AlertRule | undefined {
  return alertRules.find((rule) => rule.name === name);
}
