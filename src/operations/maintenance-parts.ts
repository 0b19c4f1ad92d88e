import type { QstashApi } from "#platform/qstash-api.ts";
import { settleGroups } from "#store/dead-letter-groups.ts";
import { dropResolvedBytes, resolveIngestedLetters } from "#store/dead-letters.ts";
import { ensurePartitions } from "#store/partitions.ts";

import { collectDeadLetters } from "./collect-dead-letters.ts";
import type { MaintenancePart } from "./maintenance.ts";
import type { Operations } from "./operations.ts";
import { readPause } from "./pause.ts";
import { resumeReplays } from "./replay-step.ts";
import { sweep } from "./sweep.ts";

export interface MaintenancePartsOptions {
  operations: Operations;
  /** For one request; its answer may have 20 messages. */
  api: QstashApi;
  /** The relay's base URLs. */
  relayUrls: readonly string[];
  /** INGESTION_PARALLELISM. */
  parallelism: number | null;
  /** PAYLOAD_RETENTION_DAYS, 0 for ever, and DELIVERY_RETENTION_DAYS. */
  retention: { payloadDays: number; deliveryDays: number };
}

/** All parts, the most urgent first: a call that runs out of time leaves the last ones to the next. */
export function createMaintenanceParts(options: MaintenancePartsOptions): MaintenancePart[] {
  const { operations, api, relayUrls, parallelism } = options;
  const { db, clock, log } = operations;
  const urls = relayUrls.map((url) => `${url}/api/qstash/instagram-ingestion`);
  return [
    { name: "partitions", run: () => makePartitions(operations) },
    { name: "sweep", run: (deadlineMs) => sweep(operations, deadlineMs) },
    { name: "replays", run: () => resumeReplays(operations) },
    {
      name: "dead-letters",
      run: (deadlineMs, last) => collectDeadLetters({ db, api, urls, clock }, deadlineMs, last),
    },
    {
      name: "groups",
      run: async () => {
        const ingested = await resolveIngestedLetters(db);
        return { ingested, ...(await settleGroups(db)), dropped: await dropResolvedBytes(db) };
      },
    },
    {
      name: "pause",
      run: async () => ({ ...(await readPause({ db, api, parallelism, nowMs: clock.nowMs(), log })) }),
    },
  ];
}

async function makePartitions({ db, clock, log }: Operations) {
  const { created, defaults } = await ensurePartitions(db.$client, clock.nowMs());
  if (created.length > 0) log.info("partitions.created", { partitions: created });
  if (defaults.length > 0) log.warn("partitions.default_used", { partitions: defaults });
  return { created, defaults };
}
