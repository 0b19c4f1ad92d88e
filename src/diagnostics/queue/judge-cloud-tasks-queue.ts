import type { Check } from "../check.ts";

interface RetryConfig {
  maxAttempts?: number;
  /** `"3600s"`; without it, or with `"0s"`, there is no limit. */
  maxRetryDuration?: string;
}

/** Judges a queue's state and retries by how the API describes it. https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues */
export function judgeCloudTasksQueue({ state, retryConfig }: Record<string, unknown>): Check[] {
  return [judgeState(String(state)), judgeRetries({ ...(retryConfig as RetryConfig | undefined) })];
}

function judgeState(state: string): Check {
  const name = "State";
  if (state === "RUNNING") return { name, status: "ok", detail: "running" };
  if (state === "PAUSED") {
    const cause = "The queue is paused: deliveries are acknowledged, and their batches wait in it.";
    const remedy = "If that is not intended, run: npm run relay -- resume";
    return { name, status: "warning", detail: "paused", cause, remedy };
  }
  const cause = "The queue is not running, and Google may refuse tasks for it.";
  return {
    name,
    status: "failed",
    detail: state.toLowerCase(),
    cause,
    remedy: "Resume it with gcloud tasks queues resume.",
  };
}

/** Google deletes a task after its last attempt, without a call to the relay. */
function judgeRetries({ maxAttempts, maxRetryDuration = "0s" }: RetryConfig): Check {
  const name = "Retries";
  if (maxAttempts === -1 && Number.parseFloat(maxRetryDuration) === 0) {
    return { name, status: "ok", detail: "without an end" };
  }
  const limit = maxAttempts === -1 ? maxRetryDuration : `${maxAttempts ?? 100} attempts`;
  return {
    name,
    status: "warning",
    detail: `ending after ${limit}`,
    cause:
      "After that Google deletes a batch without a call to the relay, so an outage of the store that lasts as long loses events.",
    remedy: "Run: gcloud tasks queues update QUEUE --location=LOCATION --max-attempts=-1 --max-retry-duration=0s",
  };
}
