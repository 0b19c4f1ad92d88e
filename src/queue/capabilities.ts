import type { QueueName } from "#platform/queue-name.ts";

import { cloudTasksBytesMax } from "./cloud-tasks/cloud-tasks-publisher.ts";
import { postgresBytesMax } from "./postgres/postgres-publisher.ts";
import { qstashBytesMax } from "./qstash/qstash-publisher.ts";
import { redisBytesMax } from "./redis/redis-publisher.ts";
import { sqsBytesMax } from "./sqs/sqs-publisher.ts";
import { vercelBytesMax } from "./vercel/vercel-publisher.ts";

/** What a queue can do, for pages, `doctor` and documents: they promise no more than this. */
export interface QueueCapabilities {
  /** Its name for people. */
  title: string;
  /** It lives in the relay's own Postgres: while that is down, it takes nothing either. */
  inStore: boolean;
  /** It calls our routes; otherwise the drain route takes messages from it. */
  push: boolean;
  /** The longest delay of one message, in milliseconds; 0 for none. */
  delayMaxMs: number;
  /** The largest body of one message. */
  bytesMax: number;
  /** It keeps a list of the messages that it gave up. */
  deadLetters: boolean;
  /** It tells which attempts it made, and when the next is due. */
  attemptLog: boolean;
  /** The relay can take a message back. It does so with none: what has become needless is found to be so when it comes. */
  cancel: boolean;
  /** Batches can be held back while it accepts further ones: by the queue, or by the drain. */
  pause: boolean;
  /** It calls maintenance by a schedule of its own. */
  schedule: boolean;
  /** For so long a second message with the same deduplication id is dropped, in milliseconds; 0 for not at all. */
  dedupWindowMs: number;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** By queue, with the smallest plan's limits. docs/QUEUES.md has the sources. */
export const queueCapabilities: Record<QueueName, QueueCapabilities> = {
  qstash: {
    title: "QStash",
    inStore: false,
    push: true,
    delayMaxMs: 7 * dayMs,
    bytesMax: qstashBytesMax,
    deadLetters: true,
    attemptLog: true,
    cancel: false,
    pause: true,
    schedule: true,
    dedupWindowMs: 10 * minuteMs,
  },
  sqs: {
    title: "SQS",
    inStore: false,
    push: false,
    delayMaxMs: 15 * minuteMs,
    // More with SQS_MESSAGE_BYTES_MAX.
    bytesMax: sqsBytesMax(262_144),
    deadLetters: false,
    attemptLog: false,
    cancel: false,
    pause: true,
    schedule: false,
    dedupWindowMs: 0,
  },
  "cloud-tasks": {
    title: "Cloud Tasks",
    inStore: false,
    push: true,
    delayMaxMs: 30 * dayMs,
    bytesMax: cloudTasksBytesMax,
    deadLetters: false,
    attemptLog: false,
    cancel: false,
    pause: true,
    schedule: false,
    dedupWindowMs: 60 * minuteMs,
  },
  redis: {
    title: "Redis",
    inStore: false,
    push: false,
    delayMaxMs: 0,
    bytesMax: redisBytesMax,
    deadLetters: false,
    attemptLog: false,
    cancel: false,
    pause: true,
    schedule: false,
    dedupWindowMs: 0,
  },
  postgres: {
    title: "Postgres",
    inStore: true,
    push: false,
    delayMaxMs: 365 * dayMs,
    bytesMax: postgresBytesMax,
    deadLetters: false,
    attemptLog: false,
    cancel: false,
    pause: true,
    schedule: false,
    dedupWindowMs: 0,
  },
  vercel: {
    title: "Vercel Queues",
    inStore: false,
    push: true,
    delayMaxMs: 7 * dayMs,
    bytesMax: vercelBytesMax,
    deadLetters: false,
    attemptLog: false,
    cancel: false,
    pause: false,
    schedule: false,
    dedupWindowMs: dayMs,
  },
};
