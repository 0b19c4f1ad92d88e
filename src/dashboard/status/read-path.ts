import { type EnvRecord, readPathEnv } from "#platform/env.ts";
import { RelayError } from "#platform/errors.ts";
import type { QueueName } from "#platform/queue-name.ts";

import type { RelayAddress } from "./relay-address.ts";

/** Faults that affect every delivery and can be seen without one. */
export interface PathFaults {
  /** A sentence that names the missing and malformed variables; null if there are none. */
  configuration: string | null;
  /** Where RELAY_URL redirects to; null if it does not, or if that is unknown. */
  redirectsTo: string | null;
  /** The status with which another program answers at RELAY_URL; null if the relay answers, or if that is unknown. */
  foreignStatus: number | null;
}

/** Checks the variables of the path from Meta through the build's queue to the store, and our own address with `readAddress`. */
export async function readPathFaults(
  record: EnvRecord,
  queue: QueueName,
  readAddress: (relayUrl: string, bypassSecret: string | null) => Promise<RelayAddress>,
): Promise<PathFaults> {
  try {
    const { RELAY_URL, VERCEL_AUTOMATION_BYPASS_SECRET } = readPathEnv(record, queue);
    const address = await readAddress(RELAY_URL[0] ?? "", VERCEL_AUTOMATION_BYPASS_SECRET);
    return {
      configuration: null,
      redirectsTo: address.state === "redirects" ? address.leadsTo : null,
      foreignStatus: address.state === "foreign" ? address.status : null,
    };
  } catch (thrown) {
    if (!(thrown instanceof RelayError)) throw thrown;
    return { configuration: thrown.message, redirectsTo: null, foreignStatus: null };
  }
}
