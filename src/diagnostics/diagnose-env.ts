import { type EnvName, type EnvRecord, readEnv, variables } from "#platform/env.ts";

import { addressRules } from "./address-rules.ts";
import { type Check, createDiagnosis, type Diagnosis } from "./check.ts";
import { processRules } from "./process-rules.ts";
import { secretRules } from "./secret-rules.ts";
import { adviseMalformed, adviseMissing } from "./variable-hints.ts";
import { shapeRules } from "./variable-rule.ts";

const rules = [...shapeRules, ...addressRules, ...secretRules, ...processRules];

const byDefault = { status: "ok", detail: "not set: the default" } as const;

/** The one variable that only some deployments need. */
const bypassName = "VERCEL_AUTOMATION_BYPASS_SECRET" satisfies EnvName;
const bypassMissing: Check = {
  name: bypassName,
  status: "warning",
  detail: "not set, in a preview deployment",
  cause:
    "Preview deployments have Deployment Protection by default, which answers QStash and the relay's own calls with 401.",
  remedy: "Turn on Protection Bypass for Automation in the project's settings and deploy again.",
};

/**
 * Checks which variables are set and well formed: one check for each variable of the product, or one for each mistake in
 * its value; of other variables only mistakes. Makes no request. The result contains no value and no part of one.
 */
export function diagnoseEnv(record: EnvRecord): Diagnosis {
  const own = Object.keys(variables) as EnvName[];
  const others = new Set(rules.flatMap((rule) => rule.of ?? []).filter((name) => !own.some((known) => known === name)));
  return createDiagnosis([
    ...own.flatMap((name) => checkVariable(name, record)),
    ...[...others].flatMap((name) => findMistakes(name, record)),
  ]);
}

function checkVariable(name: EnvName, record: EnvRecord): Check[] {
  const canRead = isReadable(record, name);
  if (!record[name]?.trim()) {
    if (!canRead) return [{ name, status: "failed", detail: "not set", ...adviseMissing(name) }];
    return [name === bypassName && record["VERCEL_ENV"] === "preview" ? bypassMissing : { name, ...byDefault }];
  }
  const mistakes = findMistakes(name, record);
  const isExplained = mistakes.some(({ status }) => status === "failed");
  if (!canRead && !isExplained) {
    return [{ name, status: "failed", detail: "malformed", ...adviseMalformed(name) }, ...mistakes];
  }
  return mistakes.length > 0 ? mistakes : [{ name, status: "ok", detail: "set" }];
}

/** Whether `readEnv` accepts the variable: it is well formed, or absent with a default. */
export function isReadable(record: EnvRecord, name: EnvName): boolean {
  try {
    readEnv(record, [name]);
    return true;
  } catch {
    return false;
  }
}

function findMistakes(name: string, record: EnvRecord): Check[] {
  const value = record[name];
  if (!value?.trim()) return [];
  const found = rules.filter((rule) => (rule.of ?? [name]).includes(name) && rule.matches(value, record, name));
  const grave = found.filter(({ status }) => status === "failed");
  // A value of the wrong kind usually has lesser mistakes as well, which would only distract.
  return (grave.length > 0 ? grave : found).map(({ status, detail, cause, remedy }) => {
    return { name, status, detail, cause, remedy };
  });
}
