import { type EnvRecord, readPathEnv } from "#platform/env.ts";
import { RelayError } from "#platform/errors.ts";

import type { RelayAddress } from "./relay-address.ts";

/** What stands in the way of every delivery, as far as it can be seen without one. */
export interface PathFaults {
  /** Which variables are missing or malformed, by name; null if none is. */
  configuration: string | null;
  /** Where RELAY_URL redirects to; null if it does not, as far as is known. */
  redirectsTo: string | null;
}

export async function readPathFaults(
  record: EnvRecord,
  readAddress: (relayUrl: string, bypassSecret: string | null) => Promise<RelayAddress>,
): Promise<PathFaults> {
  try {
    const { RELAY_URL, VERCEL_AUTOMATION_BYPASS_SECRET } = readPathEnv(record);
    const address = await readAddress(RELAY_URL[0] ?? "", VERCEL_AUTOMATION_BYPASS_SECRET);
    return { configuration: null, redirectsTo: address.state === "redirects" ? address.leadsTo : null };
  } catch (thrown) {
    if (!(thrown instanceof RelayError)) throw thrown;
    return { configuration: thrown.message, redirectsTo: null };
  }
}
