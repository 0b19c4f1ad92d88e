import type { Clock } from "#platform/clock.ts";
import type { QstashApi } from "#platform/qstash-api.ts";
import type { QueuePause } from "#queue/queue-pause.ts";
import { settleGroups } from "#store/dead-letters/dead-letter-groups.ts";
import { dropResolvedBytes, resolveIngestedLetters } from "#store/dead-letters/dead-letters.ts";
import { foldDrift } from "#store/figures/fold-drift.ts";
import { retainFigures } from "#store/figures/retain-figures.ts";
import { foldHandlerCounts } from "#store/figures/fold-handler-counts.ts";
import { forgetWrongTokens } from "#store/operators/wrong-tokens.ts";
import { readBacklog } from "#store/queue/queue-messages.ts";
import { ensurePartitions } from "#store/retention/partitions.ts";
import { retainAudit } from "#store/retention/retain-audit.ts";
import { type Retained, retainDeliveries, retainEvents, rowsPerStep } from "#store/retention/retention.ts";

import { collectDeadLetters } from "./collect-dead-letters.ts";
import type { MaintenancePart } from "./maintenance.ts";
import type { Operations } from "./operations.ts";
import { readPause } from "./pause.ts";
import { resumeReplays } from "./replay-step.ts";
import { rollUp } from "./roll-up.ts";
import { sumRegions } from "./sum-regions.ts";
import { sweep } from "./sweep.ts";

export interface MaintenancePartsOptions {
  operations: Operations;
  /** QStash's, whose answer to one request may have 20 messages; null if it is not used: then nothing reads its dead letters. */
  api: QstashApi | null;
  /** The relay's base URLs. */
  relayUrls: readonly string[];
  /** The queue's. */
  pause: QueuePause;
  /** Begins to drain the pulled queues, after maintenance: a wake that was lost costs no more than the time until this. */
  wakeDrain: () => void;
  /** PAYLOAD_RETENTION_DAYS, 0 for ever, and DELIVERY_RETENTION_DAYS. */
  retention: { payloadDays: number; deliveryDays: number };
}

/** All parts, the most urgent first: a call that runs out of time leaves the last ones to the next. */
export function createMaintenanceParts(options: MaintenancePartsOptions): MaintenancePart[] {
  const { operations, api, pause, relayUrls } = options;
  const { db, clock, log } = operations;
  const urls = relayUrls.map((url) => `${url}/api/qstash/instagram-ingestion`);
  return [
    { name: "partitions", run: () => makePartitions(operations) },
    {
      name: "roll-up",
      run: async (deadlineMs) => ({
        measurements: await rollUp(db, clock, deadlineMs, log),
        intervals: await sumRegions(db, clock, deadlineMs),
      }),
    },
    { name: "sweep", run: (deadlineMs) => sweep(operations, deadlineMs) },
    { name: "replays", run: () => resumeReplays(operations) },
    { name: "drain", run: () => startDrain(options) },
    ...partIf(api, (qstash) => ({
      name: "dead-letters",
      run: (deadlineMs, last) => collectDeadLetters({ db, api: qstash, urls, clock }, deadlineMs, last),
    })),
    {
      name: "groups",
      run: async () => {
        const ingested = await resolveIngestedLetters(db);
        const settled = await settleGroups(db, log);
        return { ingested, ...settled, dropped: await dropResolvedBytes(db) };
      },
    },
    {
      name: "counts",
      run: async (deadlineMs) => ({ folded: await repeat(() => foldHandlerCounts(db), clock, deadlineMs) }),
    },
    { name: "drift", run: async (deadlineMs) => ({ folded: await repeat(() => foldDrift(db), clock, deadlineMs) }) },
    ...partIf(pause.isAble ? pause : null, (queue) => ({
      name: "pause",
      run: async () => ({ ...(await readPause({ db, queue, nowMs: clock.nowMs(), log })) }),
    })),
    { name: "retention", run: (deadlineMs) => retain(options, deadlineMs) },
  ];
}

async function startDrain({ operations: { db }, wakeDrain }: MaintenancePartsOptions) {
  const { batches, due, oldestDueAt } = await readBacklog(db);
  wakeDrain();
  return { batches, due, oldestDueAt: oldestDueAt?.toISOString() ?? null };
}

/** A part for what not every queue has. */
function partIf<T>(given: T | null, part: (given: T) => MaintenancePart): MaintenancePart[] {
  return given === null ? [] : [part(given)];
}

/** Repeats a step until it finds nothing or the time is over; resolves with the sum. */
async function repeat(step: () => Promise<number>, clock: Clock, deadlineMs: number): Promise<number> {
  let sum = 0;
  for (let count = 1; count > 0 && clock.monotonicMs() < deadlineMs; sum += count) count = await step();
  return sum;
}

const dayMs = 24 * 60 * 60_000;

async function retain({ operations: { db, clock }, retention }: MaintenancePartsOptions, deadlineMs: number) {
  const { payloadDays, deliveryDays } = retention;
  const before = (days: number) => clock.nowMs() - days * dayMs;
  const nothing: Retained = { dropped: [], deleted: 0, postponed: [] };
  return {
    events:
      payloadDays === 0 ? nothing : await retainFully(() => retainEvents(db, before(payloadDays)), clock, deadlineMs),
    deliveries: await retainFully(() => retainDeliveries(db, before(deliveryDays)), clock, deadlineMs),
    audit: await repeat(() => retainAudit(db, clock.nowMs()), clock, deadlineMs),
    wrongTokens: await forgetWrongTokens(db),
    figures: await repeat(() => retainFigures(db, deliveryDays, clock.nowMs()), clock, deadlineMs),
  };
}

async function retainFully(step: () => Promise<Retained>, clock: Clock, deadlineMs: number): Promise<Retained> {
  const all: Retained = { dropped: [], deleted: 0, postponed: [] };
  for (let deleted = rowsPerStep; deleted >= rowsPerStep && clock.monotonicMs() < deadlineMs;) {
    const one = await step();
    ({ deleted } = one);
    all.dropped.push(...one.dropped);
    all.deleted += deleted;
    all.postponed = one.postponed;
  }
  return all;
}

async function makePartitions({ db, clock, log }: Operations) {
  const { created, defaults } = await ensurePartitions(db.$client, clock.nowMs());
  if (created.length > 0) log.info("partitions.created", { partitions: created });
  if (defaults.length > 0) log.warn("partitions.default_used", { partitions: defaults });
  return { created, defaults };
}
