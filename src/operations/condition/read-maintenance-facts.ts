import * as v from "valibot";

import type { Database } from "#store/database.ts";
import { type MaintenancePart, readParts } from "#store/maintenance-parts.ts";

import type { Condition } from "./condition.ts";

export type MaintenanceFacts = Pick<Condition, "maintenance" | "pause" | "partitions">;

const pauseResult = v.object({ since: v.nullable(v.string()), waiting: v.fallback(v.nullable(v.number()), null) });
const partitionsResult = v.object({ defaults: v.array(v.string()) });

/**
 * Holds deliveries whose ids are not in the order of time, as those that an earlier release stored: that it has rows is no
 * fault.
 */
const mayHaveRows = "deliveries_default";

/** What maintenance recorded of its parts. The part `pause` does not count as a run, because pausing records it, too. */
export async function readMaintenanceFacts(db: Database): Promise<MaintenanceFacts> {
  const parts = await readParts(db);
  const resultOf = (name: string) => parts.find((part) => part.name === name)?.result;
  const runs = parts.filter(({ name }) => name !== "pause");
  const ranAtMs = Math.max(...runs.map(({ ranAt }) => ranAt.getTime()));
  const pause = resultOf("pause");
  const partitions = resultOf("partitions");
  return {
    maintenance: { ranAt: runs.length === 0 ? null : new Date(ranAtMs).toISOString(), failed: failedOf(parts) },
    pause: v.is(pauseResult, pause) ? { since: pause.since, waiting: pause.waiting } : null,
    partitions: v.is(partitionsResult, partitions)
      ? { defaults: partitions.defaults.filter((name) => name !== mayHaveRows) }
      : null,
  };
}

function failedOf(parts: readonly MaintenancePart[]): string[] {
  return parts.flatMap(({ name, errorName }) => (errorName === null ? [] : [name]));
}
