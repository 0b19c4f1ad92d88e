import { sql } from "drizzle-orm";
import * as v from "valibot";

import type { Database } from "#store/connection/database.ts";
import { type MaintenancePart, readParts } from "#store/operators/maintenance-parts.ts";

import type { Condition } from "./condition.ts";
import { isoOf, type Millis } from "./times.ts";

export type MaintenanceFacts = Pick<Condition, "maintenance" | "pause" | "partitions">;

const pauseResult = v.object({ since: v.nullable(v.string()), waiting: v.fallback(v.nullable(v.number()), null) });
const partitionsResult = v.object({ defaults: v.array(v.string()) });

/**
 * Holds deliveries whose ids are not in the order of time, as those that an earlier release stored: that it has rows is no
 * fault.
 */
const mayHaveRows = "deliveries_default";

/** A part that has not run for so long while others did is of a queue that is no longer used. */
const leftOutMs = 60 * 60_000;

/** What maintenance recorded of its parts. The part `pause` does not count as a run, because pausing records it, too. */
export async function readMaintenanceFacts(db: Database): Promise<MaintenanceFacts> {
  const recorded = await readParts(db);
  const newestMs = Math.max(...recorded.map((part) => part.ranAt.getTime()));
  const parts = recorded.filter((part) => newestMs - part.ranAt.getTime() < leftOutMs);
  const partOf = (name: string) => parts.find((part) => part.name === name);
  const runs = parts.filter(({ name }) => name !== "pause");
  const ranAt = runs.length === 0 ? null : isoOf(Math.max(...runs.map((part) => part.ranAt.getTime())));
  const partitions = partOf("partitions")?.result;
  return {
    maintenance: { ranAt, expectedFrom: ranAt ?? (await readFirstDelivery(db)), failed: failedOf(parts) },
    pause: pauseOf(partOf("pause")),
    partitions: v.is(partitionsResult, partitions)
      ? { defaults: partitions.defaults.filter((name) => name !== mayHaveRows) }
      : null,
  };
}

function pauseOf(part: Awaited<ReturnType<typeof readParts>>[number] | undefined): MaintenanceFacts["pause"] {
  if (part === undefined || !v.is(pauseResult, part.result)) return null;
  return { since: part.result.since, waiting: part.result.waiting, askedAt: part.ranAt.toISOString() };
}

async function readFirstDelivery(db: Database): Promise<string | null> {
  const { rows } = await db.execute<{ atMs: Millis }>(sql`
    select (extract(epoch from received_at) * 1000)::float8 as "atMs" from relay.deliveries
    where not probe order by received_at limit 1`);
  return isoOf(rows[0]?.atMs ?? null);
}

function failedOf(parts: readonly MaintenancePart[]): string[] {
  return parts.flatMap(({ name, errorName }) => (errorName === null ? [] : [name]));
}
