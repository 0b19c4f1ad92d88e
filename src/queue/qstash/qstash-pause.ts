import * as v from "valibot";

import type { QstashApi } from "#platform/qstash-api.ts";

import type { QueuePause } from "../queue-pause.ts";
import { askQstash } from "./ask-qstash.ts";

/** The flow-control key that every batch is published with; see qstash-publisher.ts. */
const key = "/v2/flowControl/instagram";

const controlSchema = v.object({
  isPaused: v.fallback(v.boolean(), false),
  waitListSize: v.fallback(v.number(), 0),
});

/**
 * Pauses by QStash's flow control. `parallelism`: INGESTION_PARALLELISM; null if it is not set: batches then have no
 * flow-control key, because a key needs a limit. Throws `QSTASH_UNAVAILABLE`.
 */
export function createQstashPause(api: QstashApi, parallelism: number | null): QueuePause {
  return {
    isAble: true,
    obstacle:
      parallelism === null
        ? "Batches are published without a flow-control key: set INGESTION_PARALLELISM, 100 for example, and deploy"
        : null,
    async read() {
      const { isPaused, waitListSize } = v.parse(controlSchema, (await askQstash(api, "GET", key)) ?? {});
      return { paused: isPaused, waiting: waitListSize };
    },
    async change(paused) {
      await askQstash(api, "POST", `${key}/${paused ? "pause" : "resume"}`);
    },
  };
}
