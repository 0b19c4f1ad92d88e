import type { Variables } from "#platform/webhook-env.ts";
import { createPostgresPublisher } from "#queue/postgres/postgres-publisher.ts";

import type { QueueChoice } from "../queue-publisher.ts";

/** It is reached as the fallback is. */
const variables = {} satisfies Variables;

export const queue: QueueChoice<typeof variables> = {
  name: "postgres",
  variables,
  create: (_env, readCall) => createPostgresPublisher(readCall("/api/internal/enqueue")),
};
