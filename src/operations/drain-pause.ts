import type { QueuePause } from "#queue/queue-pause.ts";
import type { Database } from "#store/connection/database.ts";
import { changeQueuePause, readQueuePause } from "#store/queue/queue-pause.ts";

export interface DrainPauseOptions {
  db: Database;
  /** Whether batches lie in Postgres; of those elsewhere it is not known how many wait. */
  inStore: boolean;
  /** Has the drain take what has waited. */
  wake: () => void;
}

/**
 * Pauses a queue that is drained: the drain leaves batches where they are, and goes on with the relay's own messages. Throws
 * `STORE_UNAVAILABLE`.
 */
export function createDrainPause({ db, inStore, wake }: DrainPauseOptions): QueuePause {
  return {
    isAble: true,
    obstacle: null,
    async read() {
      const { paused, waiting } = await readQueuePause(db);
      return { paused, waiting: inStore ? waiting : null };
    },
    async change(paused) {
      await changeQueuePause(db, paused);
      if (!paused) wake();
    },
  };
}
