import { type EnvRecord, readEnv } from "./env.ts";

/** The deployment's public addresses; none if RELAY_URL is missing or malformed, which the routes that need it report. */
export function readRelayUrls(record: EnvRecord): readonly string[] {
  try {
    return readEnv(record, ["RELAY_URL"]).RELAY_URL;
  } catch {
    return [];
  }
}
