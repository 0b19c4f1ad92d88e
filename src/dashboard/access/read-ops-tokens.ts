import { type EnvRecord, readEnv } from "#platform/env.ts";
import { RelayError } from "#platform/errors.ts";
import { type OpsToken, opsTokenName } from "#platform/ops-token.ts";

/**
 * Every token of the environment: OPS_TOKEN, an admin of the name `ops`, and those of OPS_TOKENS. Throws `ENV_INVALID` if
 * OPS_TOKEN is missing or one of the variables is malformed, and if OPS_TOKENS repeats OPS_TOKEN, perhaps with a lower role.
 */
export function readOpsTokens(record: EnvRecord): readonly OpsToken[] {
  const { OPS_TOKEN: token, OPS_TOKENS: others } = readEnv(record, ["OPS_TOKEN", "OPS_TOKENS"]);
  const same = others.find((other) => other.token === token);
  if (same !== undefined) {
    throw new RelayError("ENV_INVALID", `Configuration is incomplete: OPS_TOKENS has OPS_TOKEN as "${same.name}"`);
  }
  return [{ name: opsTokenName, role: "admin", token }, ...others];
}

/** The names of all tokens. Throws `ENV_INVALID` as `readOpsTokens` does. */
export function readTokenNames(record: EnvRecord): readonly string[] {
  return readOpsTokens(record).map(({ name }) => name);
}
