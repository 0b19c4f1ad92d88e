import { auditActions, auditWays } from "#store/operators/audit.ts";

import { auditResults } from "../../access/read-audit.ts";
import { type ListField, optionsOf } from "../list/list-field.ts";

/** What the audit can be narrowed down by. */
export const auditFields: readonly ListField[] = [
  { name: "actor", label: "Who", placeholder: "name of a token" },
  { name: "action", label: "Action", options: optionsOf(auditActions) },
  { name: "via", label: "Way", options: optionsOf(auditWays) },
  { name: "result", label: "Result", options: optionsOf(auditResults) },
  { name: "target", label: "Target", placeholder: "an id" },
];
