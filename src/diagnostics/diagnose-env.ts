import { type EnvName, type EnvRecord, otherQueuesVariables, readEnv, variables } from "#platform/env.ts";
import type { QueueName } from "#platform/queue-name.ts";
import { queueCapabilities } from "#queue/capabilities.ts";

import { addressRules } from "./address-rules.ts";
import { type Check, createDiagnosis, type Diagnosis } from "./check.ts";
import { processRules } from "./process-rules.ts";
import { secretRules } from "./secret-rules.ts";
import { adviseMalformed, adviseMissing } from "./variable-hints.ts";
import { shapeRules } from "./variable-rule.ts";

const rules = [...shapeRules, ...addressRules, ...secretRules, ...processRules];

const byDefault = { status: "ok", detail: "not set: the default" } as const;

/** The one variable that only some deployments need. */
const bypassName = "VERCEL_AUTOMATION_BYPASS_SECRET" satisfies EnvName;
const bypassMissing: Check = {
  name: bypassName,
  status: "warning",
  detail: "not set, in a preview deployment",
  cause:
    "Preview deployments have Deployment Protection by default, which answers the queue's and the relay's own calls with 401.",
  remedy: "Turn on Protection Bypass for Automation in the project's settings and deploy again.",
};

/** A queue without a schedule leaves maintenance to a cron; where QStash's token is set too, its schedule may serve. */
function judgeCronSecret(record: EnvRecord, queue: QueueName): Check | null {
  const { title, schedule } = queueCapabilities[queue];
  if (schedule || record["CRON_SECRET"]?.trim() || record["QSTASH_TOKEN"]?.trim()) return null;
  const scheduler = queue === "cloud-tasks" ? ", or have Cloud Scheduler call /api/cloud-tasks/maintenance" : "";
  return {
    name: "CRON_SECRET",
    status: "warning",
    detail: "not set",
    cause: `${title} has no schedule, and without the variable no cron can call maintenance, which finds lost messages and judges alerts.`,
    remedy: `Set it, and have a cron call /api/cron/maintenance with it every five minutes${scheduler}.`,
  };
}

/** The checks of the variables, and for which queue they were made. */
export interface EnvDiagnosis extends Diagnosis {
  queue: QueueName;
}

export interface DiagnoseEnvOptions {
  /** The queue of the running build; null where nothing runs: then the one that QUEUE names. */
  built: QueueName | null;
}

/**
 * Checks which variables are set and well formed: one check for each variable of the product, or one for each mistake in
 * its value; of other variables only mistakes. What only other queues read is left out unless it is set. Makes no request. The result contains no value and no part of one.
 */
export function diagnoseEnv(record: EnvRecord, { built }: DiagnoseEnvOptions): EnvDiagnosis {
  const queue = built ?? readQueue(record);
  const foreign = otherQueuesVariables(queue);
  const own = Object.keys(variables) as EnvName[];
  const others = new Set(rules.flatMap((rule) => rule.of ?? []).filter((name) => !own.some((known) => known === name)));
  const cronSecret = judgeCronSecret(record, queue);
  const checkOwn = (name: EnvName) => {
    if (name === "CRON_SECRET" && cronSecret !== null) return [cronSecret];
    return foreign.has(name) ? checkForeign(name, record) : checkVariable(name, record);
  };
  const diagnosis = createDiagnosis([
    ...(built === null ? [] : checkBuild(record, built)),
    ...own.flatMap(checkOwn),
    ...[...others].flatMap((name) => findMistakes(name, record)),
  ]);
  return { ...diagnosis, queue };
}

/** The queue that QUEUE names; the default if it is malformed, which its own check says. */
export function readQueue(record: EnvRecord): QueueName {
  return isReadable(record, "QUEUE") ? readEnv(record, ["QUEUE"]).QUEUE : readEnv({}, ["QUEUE"]).QUEUE;
}

/** A build holds one queue: the variable decides nothing after it. */
function checkBuild(record: EnvRecord, built: QueueName): Check[] {
  const name = "Build";
  if (!isReadable(record, "QUEUE")) return [];
  if (readQueue(record) === built) return [{ name, status: "ok", detail: `made for ${built}` }];
  return [
    {
      name,
      status: "failed",
      detail: `made for ${built}`,
      cause: "QUEUE names another queue than the one this build was made for: it decides while building.",
      remedy: `Set QUEUE=${built} where the relay runs, or build and deploy again with QUEUE as it is set.`,
    },
  ];
}

/** Of a queue that is not used: nothing depends on it but what was published before a switch. */
function checkForeign(name: EnvName, record: EnvRecord): Check[] {
  if (!record[name]?.trim()) return [];
  return checkVariable(name, record).map((check) =>
    check.status === "failed" ? { ...check, status: "warning" as const } : check,
  );
}

function checkVariable(name: EnvName, record: EnvRecord): Check[] {
  const canRead = isReadable(record, name);
  if (!record[name]?.trim()) {
    if (!canRead) return [{ name, status: "failed", detail: "not set", ...adviseMissing(name) }];
    return [name === bypassName && record["VERCEL_ENV"] === "preview" ? bypassMissing : { name, ...byDefault }];
  }
  const mistakes = findMistakes(name, record);
  const isExplained = mistakes.some(({ status }) => status === "failed");
  if (!canRead && !isExplained) {
    return [{ name, status: "failed", detail: "malformed", ...adviseMalformed(name) }, ...mistakes];
  }
  return mistakes.length > 0 ? mistakes : [{ name, status: "ok", detail: "set" }];
}

/** Whether `readEnv` accepts the variable: it is well formed, or absent with a default. */
export function isReadable(record: EnvRecord, name: EnvName): boolean {
  try {
    readEnv(record, [name]);
    return true;
  } catch {
    return false;
  }
}

function findMistakes(name: string, record: EnvRecord): Check[] {
  const value = record[name];
  if (!value?.trim()) return [];
  const found = rules.filter((rule) => (rule.of ?? [name]).includes(name) && rule.matches(value, record, name));
  const grave = found.filter(({ status }) => status === "failed");
  // A value of the wrong kind usually has lesser mistakes as well, which would only distract.
  return (grave.length > 0 ? grave : found).map(({ status, detail, cause, remedy }) => {
    return { name, status, detail, cause, remedy };
  });
}
