import { type Answer, fetchWithin, type Network } from "#platform/bounded-fetch.ts";
import { base64FromBytes, sha256Hex } from "#platform/bytes.ts";
import { ForwardError } from "#platform/forward-error.ts";
import { protectionBypass } from "#platform/protection-bypass.ts";
import type { GoogleServiceAccount } from "#platform/queue-env/cloud-tasks.ts";

import type { QueueRoute } from "../queue-route.ts";
import { readRetryAfterMs, refusal } from "../refusal.ts";
import { cloudTasksPath } from "./cloud-tasks-path.ts";
import { cloudTasksAudience, createGoogleToken } from "./google-token.ts";

export interface TaskCreatorOptions extends Network {
  /** The API's base URL. */
  url: string;
  /** `projects/…/locations/…/queues/…`. */
  queue: string;
  /** Creates the tasks, and is who Google's tokens name when it delivers them. */
  account: GoogleServiceAccount;
  /** Our own base URL. */
  relayUrl: string;
  /** Lets Google pass Vercel's Deployment Protection; null without it. */
  bypassSecret: string | null;
}

/** A task to be created. */
export interface NewTask {
  to: QueueRoute;
  body: Uint8Array;
  /** Equal for every attempt at the same task. */
  deduplicationId: string;
  /** In milliseconds since the epoch; at once without it. */
  dueAtMs?: number;
  /** Of the delivery, beside those that every one has. */
  headers: Record<string, string>;
}

/** One attempt to create a task; settles within `timeoutMs`. Its errors are the `PUBLISH_…` codes. */
export type CreateTask = (task: NewTask, timeoutMs: number) => Promise<{ status: number; messageId: string }>;

/** Longer than our slowest route may run; then Google delivers again. */
const dispatchDeadline = "100s";

/** Creates tasks by REST. https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create */
export function createTaskCreator(options: TaskCreatorOptions): CreateTask {
  const { url, queue, account, relayUrl, bypassSecret, clock } = options;
  const token = createGoogleToken(account, cloudTasksAudience, clock);
  return async ({ to, body, deduplicationId, dueAtMs, headers }, timeoutMs) => {
    // A hash, because names that begin alike slow the queue down.
    const id = await sha256Hex(deduplicationId);
    const target = `${relayUrl}${cloudTasksPath(to)}`;
    const task = {
      name: `${queue}/tasks/${id}`,
      dispatchDeadline,
      scheduleTime: dueAtMs === undefined ? undefined : new Date(dueAtMs).toISOString(),
      httpRequest: {
        url: target,
        httpMethod: "POST",
        headers: { "content-type": "application/json", ...protectionBypass(bypassSecret), ...headers },
        body: base64FromBytes(body),
        oidcToken: { serviceAccountEmail: account.email, audience: target },
      },
    };
    const init = {
      method: "POST",
      body: JSON.stringify({ task }),
      headers: { authorization: `Bearer ${await token.get()}`, "content-type": "application/json" },
    };
    const answer = await fetchWithin(timeoutMs, `${url}/v2/${queue}/tasks`, init, options);
    const { status, text } = answer;
    if (status === 200 && text.includes(`/tasks/${id}"`) && text.includes('"createTime"'))
      return { status, messageId: id };
    // An earlier attempt at the same task, whose answer was lost, has created it.
    if (status === 409 && text.includes("ALREADY_EXISTS")) return { status, messageId: id };
    if (status >= 200 && status < 300)
      throw new ForwardError("PUBLISH_UNCONFIRMED", `${status} without the task's name`);
    if (status === 401) token.drop();
    throw refusal("Cloud Tasks", answer, readRetryAfterMs(answer) ?? retryDelayMs(answer));
  };
}

/** https://cloud.google.com/apis/design/errors: a `google.rpc.RetryInfo` among the details. */
function retryDelayMs({ text }: Answer): number | undefined {
  const seconds = /"retryDelay":\s*"(\d{1,6}(?:\.\d{1,9})?)s"/.exec(text)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
