import type { Advice, Check, Diagnosis, Finding } from "#diagnostics/check.ts";
import { judgeHealth } from "#diagnostics/judge-health.ts";
import { type MaintenanceSchedule, readSchedule } from "#operations/maintenance-schedule.ts";
import { RelayError } from "#platform/errors.ts";
import { parseJsonObject } from "#platform/parse-json.ts";
import { createQstashApi } from "#platform/qstash-api.ts";
import { queueCapabilities } from "#queue/capabilities.ts";

import type { Diagnoses } from "../ask-relay.ts";
import { ask, type ChecklistGroup, type DeployedRelay, examine, skipped } from "./checklist.ts";

export interface DeploymentOptions extends DeployedRelay {
  /** What the relay found itself, or why it did not say. */
  diagnoses: Diagnoses | Check;
  /** The account at QStash; null if its token is not known here. */
  qstash: { url: string; token: string } | null;
  /** The version of the checkout that this command is of. */
  version: string;
}

/** What the deployment knows of itself: configuration, queue, store, maintenance, version. */
export async function checkDeployment(options: DeploymentOptions): Promise<ChecklistGroup[]> {
  const { diagnoses, baseUrl } = options;
  const health = await ask(`${baseUrl}/api/health`, options).catch(() => null);
  const said = health === null ? {} : parseJsonObject(health.text);
  const relay: Check[] = [
    await examine("Operators only", options, () => findRefusal(`${baseUrl}/api/ops/events`, options)),
    health === null
      ? skipped("Health", "no answer")
      : { name: "Health", ...judgeHealth({ ...health, headers: new Map(health.headers) }) },
    { name: "Version", ...judgeVersion(said["version"], options.version) },
  ];
  const { schedule: hasSchedule, title } = queueCapabilities["name" in diagnoses ? "qstash" : diagnoses.env.queue];
  const toCall = hasSchedule
    ? createSchedule
    : `${title} has no schedules: a timer has to call it, see docs/QUEUES.md.`;
  const maintenance = [
    { name: "Maintenance", ...judgeMaintenance(said["maintenanceRanAt"], options.clock.nowMs(), toCall) },
    hasSchedule ? await checkSchedule(options) : skipped("Schedule", `${title} has none`),
    await examine("CRON_SECRET", options, () => findCronSecret(options, hasSchedule ? null : title)),
  ];
  if ("name" in diagnoses) return [group("Relay", [...relay, diagnoses]), group("Maintenance", maintenance)];
  const { env, queue, network } = diagnoses;
  return [
    group("Relay", [...relay, ...summarize("Environment", env)]),
    group(title, queue.checks),
    group("Store", storeChecks(network)),
    group("Maintenance", maintenance),
  ];
}

function group(title: string, checks: Check[]): ChecklistGroup {
  return { title, checks };
}

/** What is not well, or one line if all is. */
function summarize(name: string, { checks }: Diagnosis): Check[] {
  const wrong = checks.filter(({ status }) => status === "failed" || status === "warning");
  return wrong.length > 0
    ? wrong
    : [{ name, status: "ok", detail: `${checks.length} variables, none missing or malformed` }];
}

async function findRefusal(url: string, relay: DeployedRelay): Promise<Finding> {
  const { status } = await ask(url, relay);
  if (status === 401) return { status: "ok", detail: "without a token refused with 401" };
  const cause =
    "The operators' API answers strangers otherwise than with 401: it is not the relay's, or OPS_TOKEN is missing.";
  return {
    status: "failed",
    detail: `without a token answered ${status}`,
    cause,
    remedy: "Set OPS_TOKEN, and deploy again.",
  };
}

function judgeVersion(deployed: unknown, here: string): Finding {
  if (deployed === here) return { status: "ok", detail: `${here}, as here` };
  const detail = `${/^[\w.+-]{1,40}$/.test(String(deployed)) ? String(deployed) : "unknown"}, here ${here}`;
  const cause = "The deployment is of another version than this checkout.";
  return {
    status: "warning",
    detail,
    cause,
    remedy: "Migrate, then deploy this version; or check out the deployed one.",
  };
}

/** Above it the store is rarely in the function's region: within one a round trip takes a few milliseconds. */
const roundTripMsMax = 10;

function storeChecks({ checks }: Diagnosis): Check[] {
  const own = checks.filter(({ name }) => name.startsWith("Postgres"));
  const query = own.find(({ name }) => name === "Postgres: query");
  if (query?.status !== "ok" || query.durationMs === undefined)
    return [...own, skipped("Region", "the store did not answer")];
  const detail = `${query.durationMs} ms for a round trip from the function`;
  if (query.durationMs <= roundTripMsMax) return [...own, { name: "Region", status: "ok", detail }];
  const advice: Advice = {
    cause:
      "The store is in another region than the Node functions, and every statement waits so long. Or it was just waking up.",
    remedy: "Run this again. If it stays so, set regions in vercel.json to the store's region, and deploy.",
  };
  return [...own, { name: "Region", status: "warning", detail, ...advice }];
}

const maintenanceMsMax = 15 * 60_000;
const createSchedule =
  "Run npm run relay -- schedule create with QSTASH_URL, QSTASH_TOKEN and RELAY_URL of the deployment.";

function judgeMaintenance(ranAt: unknown, nowMs: number, toCall: string): Finding {
  const atMs = typeof ranAt === "string" ? Date.parse(ranAt) : Number.NaN;
  if (Number.isNaN(atMs)) {
    const cause = "Maintenance has never run, or its last run is unknown: nothing calls it yet.";
    return {
      status: "warning",
      detail: "has not run",
      cause,
      remedy: toCall,
    };
  }
  const minutes = Math.max(0, Math.round((nowMs - atMs) / 60_000));
  const detail = `ran ${minutes} ${minutes === 1 ? "minute" : "minutes"} ago`;
  if (nowMs - atMs <= maintenanceMsMax) return { status: "ok", detail };
  const cause =
    "Nothing calls it, or its calls are refused. It finds lost messages, judges alerts and keeps retention.";
  return { status: "failed", detail, cause, remedy: toCall };
}

async function checkSchedule(options: DeploymentOptions): Promise<Check> {
  const name = "Schedule";
  const { qstash, baseUrl: relayUrl } = options;
  if (qstash === null) return skipped(name, "QSTASH_TOKEN and QSTASH_URL of the deployment are not set here");
  const api = createQstashApi({ ...qstash, timeoutMs: 8_000, fetch: options.fetch, clock: options.clock });
  return examine(name, options, async () => {
    try {
      return judgeSchedule(await readSchedule(api, { relayUrl, bypassSecret: null }));
    } catch (thrown) {
      if (!(thrown instanceof RelayError)) throw thrown;
      const remedy = "Set QSTASH_URL and QSTASH_TOKEN here to those of the deployment.";
      return { status: "failed", detail: thrown.code, cause: "QStash did not say which schedules it has.", remedy };
    }
  });
}

function judgeSchedule(schedule: MaintenanceSchedule | null): Finding {
  if (schedule?.problems.length === 0) return { status: "ok", detail: "QStash calls maintenance every five minutes" };
  const detail = schedule === null ? "none at QStash" : schedule.problems.join("; ");
  return { status: "failed", detail, cause: "QStash does not call this relay's maintenance.", remedy: createSchedule };
}

/** Without the variable the route answers 503 to everyone, Vercel's cron included. */
async function findCronSecret(relay: DeployedRelay, withoutSchedule: string | null): Promise<Finding> {
  const { status } = await ask(`${relay.baseUrl}/api/cron/maintenance`, relay);
  if (status === 401) return { status: "ok", detail: "set; a stranger is refused with 401" };
  const cause =
    withoutSchedule === null
      ? "Vercel's daily cron is not accepted, which calls maintenance if the schedule at QStash is gone."
      : `${withoutSchedule} has no schedule, and no cron is accepted: nothing calls maintenance.`;
  return { status: "warning", detail: `answered ${status}`, cause, remedy: "Set CRON_SECRET, and deploy again." };
}
