import type { QueuePause } from "#queue/queue-pause.ts";
import type { Database } from "#store/database.ts";
import { readBacklog } from "#store/queue-messages.ts";
import { readQueuePause, setQueuePause } from "#store/queue-pause.ts";

/**
 * Holds batches back in the queue in Postgres. `wake`: drains, once they are delivered again. Its calls throw
 * `STORE_UNAVAILABLE`.
 */
export function createTablePause(db: Database, wake: () => void): QueuePause {
  return {
    isAble: true,
    obstacle: null,
    read: async () => ({ paused: await readQueuePause(db), waiting: (await readBacklog(db)).batches }),
    async change(paused) {
      await setQueuePause(db, paused);
      if (!paused) wake();
    },
  };
}
