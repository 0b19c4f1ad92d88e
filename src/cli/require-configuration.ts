import { diagnoseEnv } from "#diagnostics/diagnose-env.ts";
import { type EnvName, type EnvRecord, readEnv, variables } from "#platform/env.ts";

import { CliFailure } from "#platform/failure.ts";

/**
 * Throws the sentences for each variable that is missing or malformed, all at once: the server would start with them, and
 * then answer 503 to what needs them, deliveries above all. `env` is what the server would get.
 */
export function requireConfiguration(env: EnvRecord): void {
  const unreadable = (Object.keys(variables) as EnvName[]).filter((name) => !canRead(env, name));
  if (unreadable.length === 0) return;
  const { checks } = diagnoseEnv(env);
  const lines = unreadable.map((name) => {
    const check = checks.find((one) => one.name === name && one.status === "failed");
    return `  ${name}: ${check?.detail ?? "malformed"}. ${check?.cause ?? ""} ${check?.remedy ?? ""}`.trimEnd();
  });
  throw new CliFailure(
    `Nothing was started: the relay would refuse deliveries or operators with this configuration.\n${lines.join("\n")}`,
  );
}

function canRead(env: EnvRecord, name: EnvName): boolean {
  try {
    readEnv(env, [name]);
    return true;
  } catch {
    return false;
  }
}
