import * as v from "valibot";

import { type QstashApi } from "#platform/qstash-api.ts";
import { protectionBypassHeader } from "#platform/protection-bypass.ts";
import { askQstash } from "#queue/qstash/ask-qstash.ts";

/** The schedule's id at QStash: one per account and region. */
const scheduleId = "relay-maintenance";
const cron = "*/5 * * * *";

export interface ScheduleOptions {
  /** The relay's own base URL. */
  relayUrl: string;
  /** Lets QStash pass Vercel's Deployment Protection; null without it. */
  bypassSecret: string | null;
}

const scheduleSchema = v.object({
  cron: v.string(),
  destination: v.string(),
  isPaused: v.fallback(v.boolean(), false),
  nextScheduleTime: v.fallback(v.nullable(v.number()), null),
  lastScheduleTime: v.fallback(v.nullable(v.number()), null),
});

export interface MaintenanceSchedule {
  id: string;
  cron: string;
  destination: string;
  isPaused: boolean;
  lastAt: string | null;
  nextAt: string | null;
  /** What keeps it from calling this relay every five minutes. */
  problems: string[];
}

/** The schedule at QStash that calls maintenance; null if there is none. Throws `QSTASH_UNAVAILABLE`. */
export async function readSchedule(api: QstashApi, { relayUrl }: ScheduleOptions): Promise<MaintenanceSchedule | null> {
  const answer = await askQstash(api, "GET", `/v2/schedules/${scheduleId}`);
  if (answer === null) return null;
  const { cron: given, destination, isPaused, ...times } = v.parse(scheduleSchema, answer);
  const instant = (atMs: number | null) => (atMs === null ? null : new Date(atMs).toISOString());
  const problems = [
    ...(destination === destinationOf(relayUrl) ? [] : [`it calls ${destination}`]),
    ...(given === cron ? [] : [`it is due at ${given}`]),
    ...(isPaused ? ["it is paused"] : []),
  ];
  const [lastAt, nextAt] = [instant(times.lastScheduleTime), instant(times.nextScheduleTime)];
  return { id: scheduleId, cron: given, destination, isPaused, lastAt, nextAt, problems };
}

/**
 * Makes the schedule that has QStash call maintenance every five minutes, or corrects it; says which. A call that fails is
 * not retried: the next one does the same. Throws `QSTASH_UNAVAILABLE`.
 */
export async function ensureSchedule(
  api: QstashApi,
  options: ScheduleOptions,
): Promise<"created" | "corrected" | "unchanged"> {
  const present = await readSchedule(api, options);
  if (present?.problems.length === 0) return "unchanged";
  const { relayUrl, bypassSecret } = options;
  await askQstash(api, "POST", `/v2/schedules/${destinationOf(relayUrl)}`, {
    "upstash-cron": cron,
    "upstash-schedule-id": scheduleId,
    "upstash-method": "POST",
    "upstash-retries": "0",
    "upstash-label": "maintenance",
    ...(bypassSecret === null ? {} : { [`upstash-forward-${protectionBypassHeader}`]: bypassSecret }),
  });
  if (present?.isPaused === true) await askQstash(api, "POST", `/v2/schedules/${scheduleId}/resume`);
  return present === null ? "created" : "corrected";
}

function destinationOf(relayUrl: string): string {
  return `${relayUrl}/api/qstash/maintenance`;
}
