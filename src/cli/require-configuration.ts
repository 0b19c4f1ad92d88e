import { diagnoseEnv, isReadable, readQueue } from "#diagnostics/diagnose-env.ts";
import { type EnvName, type EnvRecord, otherQueuesVariables, variables } from "#platform/env.ts";

import { CliFailure } from "#platform/failure.ts";

/**
 * Throws a `CliFailure` that names every variable that is missing or malformed: the server would start, and then answer
 * 503 on every route that needs one of them, the webhook above all. `env` is the environment of the server.
 */
export function requireConfiguration(env: EnvRecord): void {
  // Without a known queue no queue's own variables are asked for; the one in Postgres has none.
  const foreign = otherQueuesVariables(isReadable(env, "QUEUE") ? readQueue(env) : "postgres");
  const unreadable = (Object.keys(variables) as EnvName[]).filter(
    (name) => !foreign.has(name) && !isReadable(env, name),
  );
  if (unreadable.length === 0) return;
  const { checks } = diagnoseEnv(env, { built: null });
  const lines = unreadable.map((name) => {
    const check = checks.find((one) => one.name === name && one.status === "failed");
    return `  ${name}: ${check?.detail ?? "malformed"}. ${check?.cause ?? ""} ${check?.remedy ?? ""}`.trimEnd();
  });
  throw new CliFailure(
    `Nothing was started: with this configuration the relay would refuse deliveries or operators.\n${lines.join("\n")}`,
  );
}
