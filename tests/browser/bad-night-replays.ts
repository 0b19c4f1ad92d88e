import type { Client } from "pg";

import type { Database } from "#store/connection/database.ts";
import { replays } from "#store/schema/operations-schema.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const account = "17841400000000001";

/** One of each state. Nothing advances the running one, so its heartbeat is an hour ahead. */
export async function makeReplays(
  db: Database,
  client: Client,
  { nowMs, deployment }: { nowMs: number; deployment: string },
): Promise<void> {
  const plan = (count: number) => ({
    count,
    batches: 0,
    lettersWithoutBatch: 0,
    byKind: { message: count },
    byState: { handled: count },
    byAge: { lt24h: count - 40, lt7d: 30, older: 10 },
    oldest: new Date(nowMs - 8 * 24 * hourMs).toISOString(),
    newest: new Date(nowMs - hourMs).toISOString(),
    firstEventId: 1,
    sample: [{ id: 1, kind: "message", accountId: account, state: "handled", occurredAt: null }],
    qstashMessages: 4,
    estimatedMs: 34_000,
    expiresAt: new Date(nowMs + 15 * minuteMs).toISOString(),
    warnings: ["Handlers that succeeded run again: they must bear it, see context.replay."],
  });
  const at = (agoMs: number) => new Date(nowMs - agoMs);
  const common = {
    mode: "again",
    eventIdMax: 200,
    cursor: 200,
    ratePerMinute: 600,
    total: 120,
    plan: JSON.stringify(plan(120)),
  };
  const filter = JSON.stringify({ kind: "message", from: null, to: at(20 * minuteMs).toISOString() });
  const ended = { ...common, filter, startedAt: at(2 * hourMs), finishedAt: at(2 * hourMs - minuteMs) };
  await db.insert(replays).values([
    {
      ...common,
      id: "rp_running",
      filter,
      state: "running",
      reason: "the shop's handler was mended",
      actor: "anna",
      createdAt: at(5 * minuteMs),
      startedAt: at(4 * minuteMs),
      heartbeatAt: at(-hourMs),
    },
    {
      ...ended,
      id: "rp_cancelled",
      state: "cancelled",
      reason: "tried too early",
      actor: "bob",
      createdAt: at(2 * hourMs),
      failed: 20,
      skipped: 100,
      stoppedBecause: "20 of the first 20 events failed",
    },
    {
      ...ended,
      id: "rp_finished",
      state: "finished",
      reason: "after the outage",
      actor: "anna",
      createdAt: at(26 * hourMs),
      done: 120,
    },
    {
      ...common,
      id: "rp_planned",
      filter,
      state: "planned",
      reason: "to be looked at",
      actor: "bob",
      createdAt: at(minuteMs),
    },
  ]);
  await client.query(
    `insert into relay.handler_attempts (event_id, at, ms, attempt, error_name, deployment, replay_id)
    select id, $1, 8, 1, case when id % 20 = 0 then 'TypeError' end, $2, 'rp_running' from relay.events order by id limit 70`,
    [at(3 * minuteMs), deployment],
  );
}
