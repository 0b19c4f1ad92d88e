import { describeCause, type Log } from "#platform/log.ts";
import type { Database } from "#store/connection/database.ts";
import { findStoreFault } from "#store/connection/find-store-fault.ts";

import type { Condition, QueueFacts } from "./condition.ts";
import { factsOfFigures, failingKinds } from "./facts-of-figures.ts";
import { readCanaryFacts } from "./read-canary-facts.ts";
import { readMaintenanceFacts } from "./read-maintenance-facts.ts";
import { readPublishState } from "./read-publish-state.ts";
import { readUnfinishedDeliveries } from "./read-unfinished-deliveries.ts";
import { readErrorBeginnings, readLastDelivery, readWindowFigures } from "./read-window-figures.ts";
import { readWorkFacts } from "./read-work-facts.ts";

export interface ConditionOptions {
  nowMs: number;
  queue: QueueFacts;
  /** PROBE_PAIRS_PER_DAY, 0 for none. */
  probePairsPerDay: number;
  log: Log;
}

const unknown: Omit<Condition, "asOf" | "queue" | "store"> = {
  storeFault: null,
  lost: null,
  refused: null,
  metaHour: null,
  acksWithheld: null,
  publish: null,
  open: null,
  stuck: null,
  failing: null,
  retrying: null,
  notIngested: null,
  deadLetters: null,
  pause: null,
  canary: null,
  maintenance: null,
  partitions: null,
  ack: null,
  silence: null,
};

/**
 * Reads every fact, in nine or ten statements that use an index or are bounded. What cannot be read is null, and `store` is
 * `down` if nothing can; never rejects. Figures are without what no roll-up has added yet: roll up before.
 */
export async function readCondition(
  db: Database,
  { nowMs, queue, probePairsPerDay, log }: ConditionOptions,
): Promise<Condition> {
  const reads: Promise<Partial<Condition>>[] = [
    readUnfinishedDeliveries(db, nowMs),
    readPublishState(db, nowMs).then((state) => ({ publish: state === null ? null : { state } })),
    findStoreFault(db.$client).then((storeFault) => ({ storeFault })),
    readWorkFacts(db, nowMs),
    readMaintenanceFacts(db),
    readCanaryFacts(db, { nowMs, pairsPerDay: probePairsPerDay }).then((canary) => ({ canary })),
    readFigureFacts(db, nowMs),
  ];
  const facts = await Promise.all(
    reads.map((read) =>
      read.catch((thrown: unknown) => {
        log.warn("condition.part_failed", describeCause(thrown));
        return null;
      }),
    ),
  );
  const store = facts.every((read) => read === null) ? "down" : "ok";
  return Object.assign({ asOf: new Date(nowMs).toISOString(), queue, store, ...unknown } satisfies Condition, ...facts);
}

async function readFigureFacts(db: Database, nowMs: number): Promise<Partial<Condition>> {
  const [figures, lastDeliveryMs] = await Promise.all([readWindowFigures(db, nowMs), readLastDelivery(db, nowMs)]);
  const kinds = failingKinds(figures);
  const beginnings = kinds.length === 0 ? [] : await readErrorBeginnings(db, kinds, nowMs);
  return factsOfFigures(figures, { beginnings, lastDeliveryMs, nowMs });
}
