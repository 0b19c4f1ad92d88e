import * as v from "valibot";

import type { Answer } from "#platform/bounded-fetch.ts";
import { RelayError } from "#platform/errors.ts";
import { parseJson } from "#platform/parse-json.ts";
import { isSuccess } from "#platform/qstash-api.ts";

import type { QueuePause } from "../queue-pause.ts";
import type { CloudTasksApi } from "./cloud-tasks-api.ts";

/** Only this version of the API counts what waits. https://cloud.google.com/tasks/docs/reference/rest/v2beta3/projects.locations.queues */
const stateWithCount = "/v2beta3/{queue}?readMask=state,stats";

const queueSchema = v.object({
  state: v.fallback(v.string(), ""),
  stats: v.optional(v.object({ tasksCount: v.optional(v.pipe(v.string(), v.transform(Number))) })),
});

/** Pauses the queue itself: retries and replays wait with the batches. Throws `QUEUE_UNAVAILABLE`. */
export function createCloudTasksPause(api: CloudTasksApi): QueuePause {
  return {
    isAble: true,
    obstacle: null,
    async read() {
      const { state, stats } = v.parse(queueSchema, parseJson(await ask(() => api("GET", stateWithCount))) ?? {});
      return { paused: state === "PAUSED", waiting: stats?.tasksCount ?? 0 };
    },
    async change(paused) {
      await ask(() => api("POST", `/v2/{queue}:${paused ? "pause" : "resume"}`, {}));
    },
  };
}

async function ask(send: () => Promise<Answer>): Promise<string> {
  const { status, text } = await send().catch((cause: unknown) => {
    throw new RelayError("QUEUE_UNAVAILABLE", "Cloud Tasks cannot be reached", { cause });
  });
  if (!isSuccess(status)) throw new RelayError("QUEUE_UNAVAILABLE", `Cloud Tasks answered ${status}`);
  return text;
}
