import { Client } from "pg";

import { readEnv } from "#platform/env.ts";
import { explicitTls } from "#platform/explicit-tls.ts";

import { type Check, roundMs } from "../check.ts";
import { explainPostgres } from "../explain-postgres.ts";
import type { CheckQueue } from "./queue-check.ts";

const timeoutMs = 4_000;
/** Batches are taken at once: after so long nothing drains them, unless ingestion is paused. */
const waitingMsMax = 15 * 60_000;

/** The queue in Postgres: how many batches wait, and since when. The connection itself is checked with the network. */
export const checkPostgres: CheckQueue = async ({ env: record, clock }) => {
  const startedAt = clock.monotonicMs();
  const client = new Client({
    connectionString: explicitTls(readEnv(record, ["DATABASE_URL"]).DATABASE_URL),
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  // Without a listener, a connection that breaks would end the process.
  client.on("error", () => {});
  const finish = (finding: Omit<Check, "name" | "durationMs">): Check[] => [
    { name: "Waiting batches", ...finding, durationMs: roundMs(clock.monotonicMs() - startedAt) },
  ];
  try {
    await client.connect();
    const { rows } = await client.query<{ count: number; oldestMs: number; paused: boolean }>(waiting);
    const { count = 0, oldestMs = 0, paused = false } = rows[0] ?? {};
    const detail = `${count}${count > countMax ? " or more" : ""}${paused ? ", ingestion is paused" : ""}`;
    if (paused || oldestMs < waitingMsMax) return finish({ status: "ok", detail });
    return finish({
      status: "warning",
      detail: `${detail}, the oldest for ${Math.round(oldestMs / 60_000)} min`,
      ...idle,
    });
  } catch (thrown) {
    return finish({ status: "failed", detail: "unknown", ...explainPostgres(thrown) });
  } finally {
    client.end().catch(() => {});
  }
};

const countMax = 10_000;
const waiting = `select (
    select count(*)::int from (select from relay.queue_messages where route = 'instagram-ingestion' limit ${countMax + 1}) m) as count,
  coalesce(extract(epoch from now() - (
    select min(due_at) from relay.queue_messages where route = 'instagram-ingestion')) * 1000, 0)::float8 as "oldestMs",
  exists (select from relay.queue_pause) as paused`;

const idle = {
  cause: "Nothing drains the queue: publishing does not wake it, and maintenance does not run.",
  remedy: "See the check Drain, and have a cron call /api/cron/maintenance every five minutes.",
};
