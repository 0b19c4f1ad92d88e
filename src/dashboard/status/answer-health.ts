import type { Clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import type { Log } from "#platform/log.ts";
import { refuse } from "#platform/refuse.ts";
import type { Database } from "#store/connection/database.ts";

import { readHealth } from "./read-health.ts";
import type { PathFaults } from "./read-path.ts";

export interface AnswerHealthOptions {
  /** Throws `ENV_INVALID` without DATABASE_URL. */
  openDatabase: () => Database;
  findFaults: () => Promise<PathFaults>;
  clock: Clock;
  version: string;
  log: Log;
}

/**
 * 200 while deliveries can be acknowledged and stored. 503 if the store is down, if a variable without which the webhook
 * refuses everything is missing or malformed (the body names it), or if RELAY_URL redirects (the body says where to) or
 * leads to another program (the body has its status).
 */
export async function answerHealth({
  openDatabase,
  findFaults,
  clock,
  version,
  log,
}: AnswerHealthOptions): Promise<Response> {
  const { configuration, redirectsTo, foreignStatus } = await findFaults();
  const invalid = configuration === null ? undefined : new RelayError("ENV_INVALID", configuration);
  try {
    const health = await readHealth(openDatabase(), clock, version);
    const isFailing = invalid !== undefined || redirectsTo !== null || foreignStatus !== null;
    const body = {
      ...health,
      ...(isFailing && health.status === "ok" ? { status: "failing" } : {}),
      ...(invalid === undefined ? {} : { error: { code: invalid.code, message: invalid.message } }),
      ...(redirectsTo === null ? {} : { relayUrl: { status: "redirects", leadsTo: redirectsTo } }),
      ...(foreignStatus === null ? {} : { relayUrl: { status: "foreign", answered: foreignStatus } }),
    };
    const status = isFailing || health.status !== "ok" ? 503 : 200;
    return Response.json(body, { status, headers: { "cache-control": "no-store" } });
  } catch (thrown) {
    return refuse(log, "health.failed", invalid ?? thrown);
  }
}
