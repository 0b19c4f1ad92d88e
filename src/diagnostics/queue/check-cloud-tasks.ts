import { type Answer, fetchWithin } from "#platform/bounded-fetch.ts";
import { readEnv } from "#platform/env.ts";
import { parseJsonObject } from "#platform/parse-json.ts";
import { isSuccess } from "#platform/qstash-api.ts";
import { type CloudTasksApi, createCloudTasksApi } from "#queue/cloud-tasks/cloud-tasks-api.ts";
import { refusal } from "#queue/refusal.ts";

import type { Finding } from "../check.ts";
import { judgeCloudTasksQueue } from "./judge-cloud-tasks-queue.ts";
import { type QueueAdvice, runQueueCheck } from "./queue-advice.ts";
import type { CheckQueue } from "./queue-check.ts";

const timeoutMs = 4_000;
/** Longer than the checks take; if the task cannot be deleted, it asks for our health then. */
const taskDelayMs = 60 * 60_000;
const needed = [
  "CLOUD_TASKS_QUEUE",
  "GOOGLE_SERVICE_ACCOUNT_KEY",
  "CLOUD_TASKS_URL",
  "GOOGLE_CERTS_URL",
  "RELAY_URL",
] as const;

/**
 * Cloud Tasks: the key, the queue's settings, whether the account may create a task that is delivered in its name, and the
 * keys of Google's tokens. The task is due in an hour and is deleted at once.
 */
export const checkCloudTasks: CheckQueue = async ({ env: record, clock, fetch }) => {
  const env = readEnv(record, needed);
  const { CLOUD_TASKS_URL: url, CLOUD_TASKS_QUEUE: queue, GOOGLE_SERVICE_ACCOUNT_KEY: account } = env;
  const api = createCloudTasksApi({ url, queue, account, timeoutMs, fetch, clock });
  const check = (name: string, run: () => Promise<Finding>, words = advice) =>
    runQueueCheck(name, run, { clock, advice: words });
  let settings: Record<string, unknown> | null = null;
  const found = await check("Key and queue", async () => {
    settings = parseJsonObject((await ask(api, "GET", "/v2/{queue}")).text);
    return { status: "ok", detail: "accepted" };
  });
  const target = `${env.RELAY_URL[0]}/api/health`;
  const oidcToken = { serviceAccountEmail: account.email, audience: target };
  const scheduleTime = new Date(clock.nowMs() + taskDelayMs).toISOString();
  let name = "";
  const created = await check("Create a task", async () => {
    const task = { scheduleTime, httpRequest: { url: target, httpMethod: "GET", oidcToken } };
    name = String(parseJsonObject((await ask(api, "POST", "/v2/{queue}/tasks", { task })).text)["name"]);
    return { status: "ok", detail: "accepted" };
  });
  if (name !== "") await api("DELETE", `/v2/${name}`).catch(() => {});
  const certs = await check("Google's keys", () => readCerts(env.GOOGLE_CERTS_URL), certsAdvice);
  return [found, ...(settings === null ? [] : judgeCloudTasksQueue(settings)), created, certs];

  async function readCerts(certsUrl: string): Promise<Finding> {
    const answer = await fetchWithin(timeoutMs, certsUrl, { cache: "no-store" }, { fetch, clock });
    if (answer.status !== 200 || !answer.text.includes('"keys"')) throw refusal("The address", answer, undefined);
    return { status: "ok", detail: "readable" };
  }
};

async function ask(api: CloudTasksApi, method: "GET" | "POST", path: string, body?: unknown): Promise<Answer> {
  const answer = await api(method, path, body);
  if (!isSuccess(answer.status)) throw refusal("Cloud Tasks", answer, undefined);
  return answer;
}

const advice: QueueAdvice = {
  variable: "CLOUD_TASKS_URL",
  byCode: {
    PUBLISH_UNAUTHORIZED: {
      cause:
        "The key is deleted or of another account, the account lacks a role, or the clock of this machine is wrong. Creating a task needs cloudtasks.tasks.create for the queue and iam.serviceAccounts.actAs for the account itself; reading the queue needs cloudtasks.queues.get.",
      remedy:
        "Give the account of GOOGLE_SERVICE_ACCOUNT_KEY the roles Cloud Tasks Enqueuer, Cloud Tasks Viewer and, on itself, Service Account User. Pausing needs Cloud Tasks Queue Admin too.",
    },
    PUBLISH_NOT_FOUND: {
      cause: "There is no such queue in this project and location.",
      remedy: "Set CLOUD_TASKS_QUEUE to what gcloud tasks queues describe shows as its name.",
    },
    PUBLISH_INVALID: {
      cause: "Google does not take the request: the Cloud Tasks API is not enabled, or RELAY_URL is no public address.",
      remedy: "Enable the API for the project, and set RELAY_URL to a public https address.",
    },
    PUBLISH_RATE_LIMITED: {
      cause: "The project's quota of requests is used up.",
      remedy: "See the quotas of the Cloud Tasks API in the Google Cloud console.",
    },
    PUBLISH_UNAVAILABLE: {
      cause: "Google itself has a problem.",
      remedy: "See https://status.cloud.google.com; meanwhile the relay's fallback keeps the events.",
    },
  },
  otherwise: {
    cause: "The server at CLOUD_TASKS_URL does not answer like Cloud Tasks.",
    remedy: "Remove CLOUD_TASKS_URL, so that Google's own address is used.",
  },
};

const certsAdvice: QueueAdvice = {
  variable: "GOOGLE_CERTS_URL",
  byCode: {},
  otherwise: {
    cause: "Without Google's public keys no delivery can be verified.",
    remedy: "Remove GOOGLE_CERTS_URL, so that Google's own address is used.",
  },
};
