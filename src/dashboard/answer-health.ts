import type { Clock } from "#platform/clock.ts";
import { errorResponse, RelayError, toRelayError } from "#platform/errors.ts";
import type { Database } from "#store/database.ts";

import { readHealth } from "./read-health.ts";
import type { PathFaults } from "./read-path.ts";

export interface AnswerHealthOptions {
  /** Throws `ENV_INVALID` without an address. */
  openDatabase: () => Database;
  findFaults: () => Promise<PathFaults>;
  clock: Clock;
  version: string;
}

/**
 * 200 while deliveries can be acknowledged and get through. 503 if the store is down; if the webhook would refuse
 * everything for want of a variable, with their names; or if RELAY_URL redirects, with where it leads.
 */
export async function answerHealth({
  openDatabase,
  findFaults,
  clock,
  version,
}: AnswerHealthOptions): Promise<Response> {
  const { configuration, redirectsTo } = await findFaults();
  const invalid = configuration === null ? undefined : new RelayError("ENV_INVALID", configuration);
  try {
    const health = await readHealth(openDatabase(), clock, version);
    const isFailing = invalid !== undefined || redirectsTo !== null;
    const body = {
      ...health,
      ...(isFailing && health.status === "ok" ? { status: "failing" } : {}),
      ...(invalid === undefined ? {} : { error: { code: invalid.code, message: invalid.message } }),
      ...(redirectsTo === null ? {} : { relayUrl: { status: "redirects", leadsTo: redirectsTo } }),
    };
    const status = isFailing || health.status !== "ok" ? 503 : 200;
    return Response.json(body, { status, headers: { "cache-control": "no-store" } });
  } catch (thrown) {
    return errorResponse(invalid ?? toRelayError(thrown));
  }
}
